"""What can go wrong on an application's way, beside the findings of the checks."""

from shared.problems import FindingKind, Problem

EVIDENCE_KIND = FindingKind(
    "EVIDENCE_KIND",
    "'{kind}'은(는) 증빙 종류가 아닙니다.",
    "'{kind}' is no kind of evidence.",
    rule="M-010",
)
TOO_MANY_FILES = FindingKind(
    "TOO_MANY_FILES",
    "한 신청에 파일 {limit}개까지 첨부할 수 있습니다.",
    "An application may have {limit} files.",
    rule="M-010",
)
EVIDENCE_REUSED = FindingKind(
    "EVIDENCE_REUSED",
    "'{name}' 파일은 다른 신청({number})에도 첨부되어 있습니다.",
    "The file '{name}' is also attached to another application ({number}).",
    level="warning",
    rule="M-010",
)
REGISTERED_NAME_DIFFERS = FindingKind(
    "REGISTERED_NAME_DIFFERS",
    "입력한 기업명 '{name}'이(가) 등록된 기업명 '{registered}'과(와) 다릅니다.",
    "The company '{name}' is registered as '{registered}'.",
    level="warning",
    rule="M-008",
)
COMPANY_INACTIVE = FindingKind(
    "COMPANY_INACTIVE",
    "'{name}'의 사업자 상태가 정상이 아닙니다({status}).",
    "The business of '{name}' is not active ({status}).",
    level="warning",
    rule="M-055",
)
COMPANY_CLOSED_BEFORE = FindingKind(
    "COMPANY_CLOSED_BEFORE",
    "'{name}'은(는) {closed_on}에 폐업했으나 기준일이 그 뒤({reference_on})인 실적이 있습니다.",
    "'{name}' was closed on {closed_on}; there is an achievement dated later ({reference_on}).",
    level="warning",
    rule="M-055",
)
OWN_COMPANY = FindingKind(
    "OWN_COMPANY",
    "신청 기관 자신의 사업자번호입니다({brn}).",
    "The company is the applying institution itself ({brn}).",
    rule="M-019",
)
ROW_UNKNOWN = FindingKind(
    "ROW_UNKNOWN", "{row}행이 없습니다.", "There is no row {row}.", rule="M-018"
)
ROW_TWICE = FindingKind(
    "ROW_TWICE", "{row}행이 두 번 있습니다.", "Row {row} occurs twice.", rule="M-014"
)
COLUMN_KEY_UNKNOWN = FindingKind(
    "COLUMN_KEY_UNKNOWN",
    "'{field}' 열은 이 분야에 없습니다.",
    "This field has no column '{field}'.",
    rule="M-011",
)
MORE_FINDINGS = FindingKind(
    "MORE_FINDINGS",
    "그 밖에 {count:,}건이 더 있습니다(모두 {total:,}건). 먼저 나온 것부터 고치세요. "
    "파일로 올린 명단이라면 오류를 표시한 파일에 모두 나옵니다.",
    "There are {count:,} more ({total:,} in all). Mend the first ones; of an uploaded sheet, the "
    "marked copy lists all.",
    level="warning",
    rule="M-014",
)


class MileageChanged(Problem):
    """What the reviewer saw is no longer what would be posted; give `seen=` and `now=`."""

    status, code = 409, "MILEAGE_CHANGED"
    ko = "확인한 마일리지({seen:,}점)와 적립될 마일리지({now:,}점)가 다릅니다. 다시 확인하세요."
    en = "You saw {seen:,} points, now it would be {now:,}. Please check again."


class SameApprover(Problem):
    status, code = 403, "SAME_APPROVER"
    ko = "1차 승인자는 2차 승인을 할 수 없습니다."
    en = "The second approval takes another reviewer than the first."


class ClaimedByOther(Problem):
    status, code = 409, "CLAIMED_BY_OTHER"
    ko, en = "다른 검토자가 검토하고 있습니다.", "Another reviewer is working on this."


class InstitutionUnfit(Problem):
    """Only active universities and their cooperation foundations accrue mileage."""

    status, code = 409, "INSTITUTION_UNFIT"
    ko = "적립을 신청할 수 없는 기관입니다."
    en = "This institution cannot apply for mileage."
