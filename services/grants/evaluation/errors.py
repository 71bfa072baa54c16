"""What the procedure of selection can refuse or remark; of scores, see `services.grants.errors`."""

from shared.problems import FindingKind, Problem


class AwardsFull(Problem):
    status, code = 409, "AWARDS_FULL"
    ko = "이 공고는 {awards}개 기관만 선정합니다. 선정을 취소한 뒤에 다른 기관을 선정하세요."
    en = "This call has {awards} award(s), all of them given."


class ReceiptOpen(Problem):
    status, code = 409, "RECEIPT_OPEN"
    ko = (
        "접수 마감({closes_at}) 뒤에 사전검토를 시작할 수 있습니다. "
        "그때까지는 신청기관이 다시 제출할 수 있습니다."
    )
    en = "The pre-review begins after the deadline ({closes_at}); the last version by then counts."


class ConflictUndeclared(Problem):
    status, code = 409, "CONFLICT_UNDECLARED"
    ko = "이해관계가 없음을 먼저 확인해야 평가할 수 있습니다."
    en = "Please declare first that you have no conflict of interest."


class NoVisits(Problem):
    status, code = 409, "NO_SITE_VISITS"
    ko, en = "이 공고에는 현장조사가 없습니다.", "This call has no site visits."


SHEETS_OPEN = FindingKind(
    "SHEETS_OPEN",
    "{institution}: {reviewer} 위원의 평가표가 제출되지 않았습니다.",
    "{institution}: the sheet of {reviewer} has not been submitted.",
    rule="G-055",
)
FACTS_MISSING = FindingKind(
    "FACTS_MISSING",
    "{institution}: 정량항목 확인이 끝나지 않았습니다.",
    "{institution}: the facts for the quantitative items have not been verified.",
    rule="G-055",
)
PRE_REVIEW_OPEN = FindingKind(
    "PRE_REVIEW_OPEN",
    "{institution}: 사전검토가 끝나지 않았습니다.",
    "{institution}: the pre-review is not finished.",
    rule="G-055",
)
NOTHING_TO_RANK = FindingKind(
    "NOTHING_TO_RANK",
    "평가할 사업계획서가 없습니다.",
    "There is no proposal to be ranked.",
    rule="G-055",
)
PRE_REVIEW_POINT_MISSING = FindingKind(
    "PRE_REVIEW_POINT_MISSING",
    "검토하지 않은 항목입니다: {name_ko}",
    "This point has not been looked at: {name_en}",
    rule="G-055",
)
PRE_REVIEW_POINT_FAILED = FindingKind(
    "PRE_REVIEW_POINT_FAILED",
    "적합하지 않은 항목이 있어 적격으로 할 수 없습니다: {name_ko}",
    "A point does not hold, so the proposal is not eligible: {name_en}",
    rule="G-055",
)
PRE_REVIEW_POINT_UNKNOWN = FindingKind(
    "PRE_REVIEW_POINT_UNKNOWN",
    "이 공고의 검토 항목이 아닙니다: {point}",
    "This is no point of the call's pre-review: {point}",
    rule="G-055",
)
COMPLETION_DUE = FindingKind(
    "COMPLETION_DUE",
    "보완 기한은 지금보다 뒤여야 합니다.",
    "The day by which to answer must lie ahead.",
    rule="G-055",
)
COMPLETION_LATE = FindingKind(
    "COMPLETION_LATE",
    "보완 기한({due_at})이 지났습니다.",
    "The day by which to answer ({due_at}) has passed.",
    rule="G-055",
)
VISIT_NOT_YET = FindingKind(
    "VISIT_NOT_YET",
    "현장조사일({on_day}) 이후에 기록할 수 있습니다.",
    "The visit is on {on_day}; it is recorded afterwards.",
    rule="G-055",
)
VISIT_MEMBER_CONFLICT = FindingKind(
    "VISIT_MEMBER_CONFLICT",
    "{member} 위원은 신청기관 소속이어서 현장조사에 참여할 수 없습니다: {institutions}",
    "{member} belongs to the applicant and cannot take part: {institutions}",
    rule="G-055",
)
FILES_FULL = FindingKind(
    "FILES_FULL",
    "파일은 {most}개까지 붙일 수 있습니다.",
    "At most {most} files can be attached.",
)
NOT_PASSING = FindingKind(
    "NOT_PASSING",
    "지정 기준에 미달하여 우선협상대상으로 정할 수 없습니다.",
    "The proposal did not pass and cannot be preferred.",
    rule="G-055",
)
MILEAGE_UNTESTED = FindingKind(
    "MILEAGE_UNTESTED",
    "접수 마감일 기준 적립 마일리지를 먼저 확인하세요.",
    "The mileage posted by the closing day has to be asked for first.",
    rule="M-061",
)
