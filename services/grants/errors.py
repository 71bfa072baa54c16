"""What grants can refuse or remark: problems, and the findings of calls, proposals, evaluation.

Rule numbers and citations that differ by call are put in from the rule set when a finding is
made. What the expense and settlement rules say stands beside each rule, in
`expenses/rules/` and `settlement/rules.py`.
"""

from shared.problems import FindingKind, Invalid, Problem

# Problems ---------------------------------------------------------------------------------------


class RuleSetInvalid(Invalid):
    code = "RULE_SET_INVALID"
    ko, en = "사업 규정 자료가 올바르지 않습니다.", "The rule set of the call is not valid."


class RuleSetUnknown(Problem):
    status, code = 404, "RULE_SET_UNKNOWN"
    ko, en = "해당 사업 규정이 없습니다: {code}", "There is no rule set '{code}'."


class RunElsewhere(Problem):
    status, code = 409, "RUN_ELSEWHERE"
    ko = "이 사업은 주관기관에서 직접 운영합니다. 여기서는 안내만 합니다."
    en = "The agency runs this programme elsewhere; here it is only announced."


class GrantOfAgency(Problem):
    status, code = 403, "GRANT_OF_AGENCY"
    ko = (
        "운영기관은 우수기관 인증과 활용사업만 등록할 수 있습니다. "
        "지원사업은 전문기관이 공고합니다."
    )
    en = "The operator certifies and keeps the catalogue; calls for grants are the agencies'."


class ProposalExists(Problem):
    status, code = 409, "PROPOSAL_EXISTS"
    ko = "이 사업에 작성 중이거나 제출한 사업계획서가 이미 있습니다."
    en = "There is already a proposal of yours in this call."


class OneCannotConfirm(Problem):
    status, code = 403, "FOUR_EYES"
    ko = "의견을 낸 사람은 확인할 수 없습니다. 다른 담당자가 확인해야 합니다."
    en = "Whoever proposed this cannot confirm it; another person has to."


class DecisionClosed(Problem):
    status, code = 409, "DECISION_CLOSED"
    ko, en = "이미 처리된 의견입니다.", "This was dealt with before."


class RefundMismatch(Problem):
    status, code = 422, "REFUND_MISMATCH"
    ko = "남은 반납 금액은 {due:,}원입니다. {returned:,}원을 반납으로 기록할 수 없습니다."
    en = "{due:,} won are left to be returned; {returned:,} won cannot be recorded."


class SettlementOutdated(Problem):
    status, code = 409, "SETTLEMENT_OUTDATED"
    ko = "마지막 정산 뒤에 의견이나 자료가 바뀌었습니다. 다시 정산한 뒤 확정하세요."
    en = "Decisions or documents changed after the last run. Run the settlement again first."


class CertificateIssued(Problem):
    status, code = 409, "CERTIFICATE_ISSUED"
    ko, en = "이미 수료증을 받은 교육생입니다.", "This student has a certificate already."


class StageEvaluated(Problem):
    status, code = 409, "STAGE_EVALUATED"
    ko, en = "단계평가 결과가 이미 확정되었습니다.", "The stage evaluation has been decided."


class AmendmentOpen(Problem):
    status, code = 409, "AMENDMENT_OPEN"
    ko = "처리되지 않은 변경 요청이 있습니다. 먼저 마치거나 철회하세요."
    en = "There is a request for amendment that is not settled yet."


class AmendmentOutdated(Problem):
    status, code = 409, "AMENDMENT_OUTDATED"
    ko = "요청한 뒤에 계획이 바뀌었습니다. 돌려보내 다시 요청받으세요."
    en = "The plan changed since the request; send it back to be requested anew."


class SheetRefused(Invalid):
    code = "SHEET_INVALID"
    ko = "시트에 오류가 있어 등록하지 않았습니다. 표시된 칸을 고쳐 주세요."
    en = "The sheet has errors; nothing was entered. Please correct the cells named."


# Rule sets --------------------------------------------------------------------------------------

RULE_SET_VALUE = FindingKind(
    "RULE_SET_VALUE",
    "값이 형식({expected})에 맞지 않습니다: {given}",
    "The value '{given}' is not of the form {expected}.",
)
RULE_SET_KEY_MISSING = FindingKind(
    "RULE_SET_KEY_MISSING", "항목이 없습니다: {key}", "The key '{key}' is missing."
)
RULE_SET_KEY_UNKNOWN = FindingKind(
    "RULE_SET_KEY_UNKNOWN", "알 수 없는 항목입니다: {key}", "The key '{key}' is not known."
)
RULE_SET_REFERENCE = FindingKind(
    "RULE_SET_REFERENCE",
    "정의되지 않은 코드입니다: {what} {code}",
    "This code is not defined: {what} {code}",
)
RULE_SET_SHAPE = FindingKind(
    "RULE_SET_SHAPE", "규정 자료가 서로 맞지 않습니다: {problem}", "Inconsistent data: {problem}"
)

# Proposals: receipt, eligibility, package --------------------------------------------------------

DUPLICATE_EVIDENCE_FILE = FindingKind(
    "DUPLICATE_EVIDENCE",
    "이미 증빙으로 쓰인 파일입니다: {name}",
    "This file is already evidence of an expense: {name}",
    rule="G-040",
)
EVIDENCE_KIND_UNKNOWN = FindingKind(
    "EVIDENCE_KIND_UNKNOWN",
    "이 사업에 없는 증빙 종류입니다. 가능한 종류: {known}",
    "This call knows no such kind of evidence. Known: {known}",
    rule="G-040",
)
VAT_EXCEEDS = FindingKind(
    "VAT_EXCEEDS", "부가세가 금액보다 많습니다.", "The VAT exceeds the amount.", rule="G-040"
)
SHEET_FINDINGS_CUT = FindingKind(
    "SHEET_FINDINGS_CUT",
    "이 밖에 {left:,}건이 더 있습니다.",
    "There are {left:,} more findings.",
    level="warning",
)
PART_MISSING = FindingKind(
    "PART_MISSING", "작성하지 않은 부분이 있습니다: {part}", "A part is not written yet: {field}"
)
LATE = FindingKind(
    "LATE",
    "접수 마감({closes_at}) 이후 도착하여 접수할 수 없습니다.",
    "It arrived after the deadline ({closes_at}) and cannot be received.",
)
NOT_OPEN = FindingKind(
    "NOT_OPEN",
    "접수 기간이 아닙니다. {opens_at}부터 접수합니다.",
    "Proposals are received from {opens_at}.",
)
NOT_GRADUATE_SCHOOL = FindingKind(
    "NOT_GRADUATE_SCHOOL",
    "신청 자격이 없습니다. 지원 대상 대학원이 {required}개 이상이어야 합니다(현재 {given}개).",
    "Not eligible: at least {required} eligible graduate school(s) needed, {given} given.",
)
NO_COMPANY = FindingKind(
    "NO_COMPANY",
    "참여기업이 {required}개 이상이어야 합니다(현재 {given}개).",
    "At least {required} company is needed, {given} given.",
)
COMPANY_COUNT = FindingKind(
    "COMPANY_COUNT",
    "참여기업은 {usual}개 내외입니다. {given}개로 구성한 사유를 적어 주세요.",
    "About {usual} companies are usual; please explain why there are {given}.",
    level="warning",
)
INCUMBENT_NEEDS_PARTNER = FindingKind(
    "INCUMBENT_NEEDS_PARTNER",
    "기존 사업 수행 대학원은 다른 대학 소속 대학원을 1개 이상 포함해야 합니다.",
    "An incumbent must include at least one graduate school of another university.",
)
UNDER_RESTRICTION = FindingKind(
    "UNDER_RESTRICTION",
    "국가연구개발사업 참여제한 중이므로 신청할 수 없습니다.",
    "The applicant is barred from national research programmes.",
)
SIMILAR_PROGRAMME = FindingKind(
    "SIMILAR_PROGRAMME",
    "유사한 인력양성사업을 수행 중인 대학원 전공은 신청할 수 없습니다.",
    "This major already runs a similar training programme.",
)
DOCUMENT_MISSING = FindingKind(
    "DOCUMENT_MISSING",
    "제출 서류가 없습니다: {name_ko} {required}부",
    "A document is missing: {name_en}, {required} copies",
)
DOCUMENT_COPIES = FindingKind(
    "DOCUMENT_COPIES",
    "제출 부수가 모자랍니다: {name_ko} {required}부 중 {given}부",
    "Too few copies: {name_en}, {given} of {required}",
)
DUTY_SHORT = FindingKind(
    "DUTY_SHORT",
    "{name_ko} 계획({given})이 연간 기준({required})보다 적습니다.",
    "{name_en}: {given} planned, {required} a year expected.",
    level="warning",
)
COMPLETION_NOT_MET = FindingKind(
    "COMPLETION_NOT_MET",
    "수료 요건을 채우지 못했습니다: {name_ko}",
    "A condition of the certificate is not met: {name_en}",
)
TEXT_LENGTH = FindingKind(
    "TEXT_LENGTH",
    "{name_ko}: {usual}{unit_ko} 내외로 작성합니다(현재 {given}{unit_ko}).",
    "{name_en} is usually about {usual} {unit_en}; this has {given}.",
    level="warning",
)
CRN_CHECK = FindingKind(
    "CRN_CHECK",
    "법인등록번호를 확인하세요: {crn}",
    "Please check the corporate registration number: {crn}",
    level="warning",
    rule="G-010",
)
PLEDGE_MISMATCH = FindingKind(
    "PLEDGE_MISMATCH",
    "부담 협약서의 {name_ko} {pledged_won:,}원이 사업계획서의 {planned_won:,}원과 다릅니다.",
    "The pledge says {pledged_won:,} won of {name_en}, the plan {planned_won:,} won.",
)

# Proposals: budget ------------------------------------------------------------------------------

ITEM_UNKNOWN = FindingKind(
    "ITEM_UNKNOWN",
    "비목과 세부 항목이 맞지 않습니다: {item}/{kind}",
    "This budget item and use do not exist together: {item}/{kind}",
)
AMOUNT_NEGATIVE = FindingKind(
    "AMOUNT_NEGATIVE", "금액은 0원 이상이어야 합니다.", "Amounts are at least 0 won."
)
TOTAL_MISMATCH = FindingKind(
    "TOTAL_MISMATCH",
    "소계와 총계가 다릅니다: {name_ko} {declared_won:,}원, 계산 {computed_won:,}원",
    "The totals differ: {name_en} {declared_won:,} won, computed {computed_won:,} won",
)
GRANT_LIMIT = FindingKind(
    "GRANT_LIMIT",
    "정부지원금 {amount_thousand:,}천원이 연간 한도 {limit_thousand:,}천원을 초과했습니다.",
    "The grant of {amount_won:,} won exceeds the {limit_won:,} won a year allows.",
)
PRIVATE_SHARE_SHORT = FindingKind(
    "PRIVATE_SHARE_SHORT",
    "정부지원금은 총사업비의 {percent}% 이내입니다. "
    "민간부담금이 {required_thousand:,}천원 이상이어야 합니다(현재 {amount_thousand:,}천원).",
    "The grant may be {percent}% of the total cost; "
    "at least {required_won:,} won of private money is needed, {amount_won:,} won is planned.",
)
CAP_EXCEEDED = FindingKind(
    "CAP_EXCEEDED",
    "{name_ko} {amount_thousand:,}천원이 한도 {limit_thousand:,}천원"
    "({percent}% × {base_ko})을 초과했습니다.",
    "{name_en}: {amount_won:,} won exceeds the limit of {limit_won:,} won"
    " ({percent}% of {base_en}).",
)
CAP_REMARK = FindingKind(
    "CAP_REMARK",
    "{name_ko} {amount_thousand:,}천원이 {limit_thousand:,}천원"
    "({percent}% × {base_ko})을 넘습니다. 산정 근거를 확인하세요.",
    "{name_en}: {amount_won:,} won is more than {limit_won:,} won"
    " ({percent}% of {base_en}); please check the basis.",
    level="warning",
)
HEAD_CAP_EXCEEDED = FindingKind(
    "HEAD_CAP_EXCEEDED",
    "{name_ko} {amount_won:,}원이 한도 {limit_won:,}원({head_ko} 1인당 {head_won:,}원)을"
    " 초과했습니다.",
    "{name_en}: {amount_won:,} won exceeds {limit_won:,} won ({head_won:,} won per {head_en}).",
)
ASSET_CAP_EXCEEDED = FindingKind(
    "ASSET_CAP_EXCEEDED",
    "{name_ko} {amount_thousand:,}천원이 한도 {limit_thousand:,}천원"
    "({price_ko}의 {percent}%)을 초과했습니다.",
    "{name_en}: {amount_won:,} won exceeds {limit_won:,} won ({percent}% of the {price_en}).",
)
PRICE_MISSING = FindingKind(
    "PRICE_MISSING",
    "{name_ko} 한도를 확인하려면 {price_ko} 입력이 필요합니다.",
    "{name_en}: the {price_en} is needed to check the limit.",
)
FUND_NOT_ALLOWED = FindingKind(
    "FUND_NOT_ALLOWED",
    "{name_ko} 비목에는 {fund_ko}을 계상할 수 없습니다.",
    "{name_en} cannot be funded from {fund_en}.",
)
EXTERNAL_PAY_INKIND = FindingKind(
    "EXTERNAL_PAY_INKIND",
    "외부인건비는 현물로 계상할 수 없습니다. 현금으로 계상하세요.",
    "External personnel is paid in cash, never in kind.",
)
INTERNAL_PAY_CASH = FindingKind(
    "INTERNAL_PAY_CASH",
    "내부인건비는 현물로만 계상할 수 있습니다.",
    "Internal personnel counts in kind only.",
)
BIG_PURCHASE = FindingKind(
    "BIG_PURCHASE",
    "{limit_won:,}원 이상 장비입니다. 협약일부터 {months}개월 이내에 전문기관에 보고하고 "
    "원가계산 서류를 갖추세요.",
    "Equipment of {limit_won:,} won or more: report it within {months} months of the agreement"
    " and keep the cost analysis.",
    level="warning",
)

# Proposals: people ------------------------------------------------------------------------------

PERSON_UNKNOWN = FindingKind(
    "PERSON_UNKNOWN",
    "참여인력 명단에 없는 사람입니다: {person}",
    "This person is not on the list of participants: {person}",
)
RATE_DECIMAL = FindingKind(
    "RATE_DECIMAL",
    "참여율은 소수 첫째 자리까지입니다(입력 {rate}%).",
    "Participation rates have one decimal ({rate}% given).",
)
RATE_RANGE = FindingKind(
    "RATE_RANGE",
    "참여율은 0%보다 크고 {limit}% 이하여야 합니다(입력 {rate}%).",
    "A participation rate lies above 0% and at most at {limit}% ({rate}% given).",
)
RATE_OVER_100 = FindingKind(
    "RATE_OVER_100",
    "{name}의 참여율 합계가 {month}에 {rate}%로 {limit}%를 초과했습니다({projects}).",
    "The rates of {name} sum to {rate}% in {month}, over {limit}% ({projects}).",
)
RATE_UNDER_50 = FindingKind(
    "RATE_UNDER_50",
    "운영인력의 참여율은 {limit}% 이상이어야 합니다(입력 {rate}%).",
    "Operators take part at {limit}% or more ({rate}% given).",
)
OPERATOR_COUNT = FindingKind(
    "OPERATOR_COUNT",
    "운영인력은 {at_least}~{at_most}인이어야 합니다(현재 {given}인).",
    "There are {at_least} to {at_most} operators; {given} given.",
)
OPERATOR_EMPLOYED = FindingKind(
    "OPERATOR_EMPLOYED",
    "다른 기관에 소속된 사람은 운영인력이 될 수 없습니다: {name}",
    "Someone employed elsewhere cannot be an operator: {name}",
)
PAY_GRADE_EXCEEDED = FindingKind(
    "PAY_GRADE_EXCEEDED",
    "월 단가 {amount_thousand:,}천원이 {grade_ko} 계상기준 {limit_thousand:,}천원을 초과했습니다.",
    "{amount_won:,} won a month exceeds the {limit_won:,} won of grade {grade_en}.",
)
GRADE_MISSING = FindingKind(
    "GRADE_MISSING",
    "{name}의 직급을 정할 수 없습니다. 직급·직위 또는 과정을 입력하세요.",
    "The grade of {name} is not known; give a grade, a post or a course.",
)
GRADE_UNPROVEN = FindingKind(
    "GRADE_UNPROVEN",
    "{name}의 경력으로 확인되지 않는 직급입니다({grade_ko}). '동등 이상'의 근거를 적어 주세요.",
    "The career of {name} does not show grade {grade_en}; state why it is equivalent.",
    level="warning",
)
MONTHS_OUTSIDE = FindingKind(
    "MONTHS_OUTSIDE",
    "참여기간({first}~{last})이 당해 사업기간을 벗어납니다.",
    "The months {first} to {last} lie outside the project year.",
)

REFUND_DAY = FindingKind(
    "REFUND_DAY",
    "입금일은 오늘보다 늦을 수 없습니다: {day}",
    "The day of the payment cannot lie ahead: {day}",
)

# Agreements: changes of the budget ---------------------------------------------------------------

BUDGET_FROZEN = FindingKind(
    "BUDGET_FROZEN",
    "국외여비·간접비는 증액할 수 없습니다({name_ko}: {before_won:,}원 → {after_won:,}원).",
    "{name_en} may not be increased ({before_won:,} to {after_won:,} won).",
)
CHANGE_NEEDS_APPROVAL = FindingKind(
    "CHANGE_NEEDS_APPROVAL",
    "{name_ko}: 당초 계획보다 {percent}% 이상 바뀌므로 사전 승인을 받아야 합니다.",
    "{name_en} changes by {percent}% or more; approval is needed first.",
    level="warning",
)

# Evaluation -------------------------------------------------------------------------------------

SCORE_NOT_ALLOWED = FindingKind(
    "SCORE_NOT_ALLOWED",
    "배점표에 없는 점수입니다: {name_ko} {given}점 (가능: {allowed})",
    "This score is not on the sheet: {name_en} {given} (allowed: {allowed})",
)
SCORE_MISSING = FindingKind(
    "SCORE_MISSING", "점수를 입력하지 않았습니다: {name_ko}", "A score is missing: {name_en}"
)
SCORE_ITEM_UNKNOWN = FindingKind(
    "SCORE_ITEM_UNKNOWN",
    "평가표에 없는 항목입니다: {item}",
    "There is no such item on the sheet: {item}",
)
SCORE_QUANTITATIVE = FindingKind(
    "SCORE_QUANTITATIVE",
    "정량 항목은 평가위원이 채점하지 않습니다: {name_ko}",
    "Reviewers do not score quantitative items: {name_en}",
)
MEASURE_MISSING = FindingKind(
    "MEASURE_MISSING",
    "{name_ko} 점수를 계산할 자료가 없습니다: {facts}",
    "{name_en} cannot be computed without: {facts}",
)
MEASURE_ZERO_BASE = FindingKind(
    "MEASURE_ZERO_BASE",
    "{name_ko}의 기준값이 0이어서 비율을 계산할 수 없습니다.",
    "{name_en}: the base is zero, so there is no ratio.",
)
STANDARD_SHORT = FindingKind(
    "STANDARD_SHORT",
    "합계에 가려 기준에 못 미치는 목표가 있습니다: {name_ko} {given}(기준 {required})",
    "The total hides a target below its standard: {name_en} {given} (standard {required})",
    level="warning",
)
BONUS_UNDEFINED = FindingKind(
    "BONUS_UNDEFINED",
    "대학원이 3개 이상인 컨소시엄의 가산점은 공고에 없습니다. 위원회가 확인해야 합니다.",
    "The call defines no bonus for three or more graduate schools; the committee must confirm.",
    level="warning",
)
BONUS_UNKNOWN = FindingKind(
    "BONUS_UNKNOWN",
    "공고의 가산점에 없는 점수입니다: {given}점",
    "The call knows no bonus of {given} points.",
)
REGION_UNKNOWN = FindingKind(
    "REGION_UNKNOWN", "알 수 없는 지역입니다: {region}", "This region is not known: {region}"
)
COI_RECUSED = FindingKind(
    "COI_RECUSED",
    "이해관계가 있는 평가위원이므로 평가에서 제외합니다: {reviewer}",
    "This reviewer has a conflict of interest and is excluded: {reviewer}",
    level="warning",
)
QUORUM_SHORT = FindingKind(
    "QUORUM_SHORT",
    "평가위원이 {required}인 이상이어야 합니다(제외 후 {given}인).",
    "{required} reviewers are needed; {given} remain.",
)
PANEL_TOO_LARGE = FindingKind(
    "PANEL_TOO_LARGE",
    "{name_ko} 위원은 {limit}인 이내입니다(현재 {given}인).",
    "The panel {name_en} has at most {limit} members; {given} given.",
)
PANEL_UNKNOWN = FindingKind(
    "PANEL_UNKNOWN", "알 수 없는 위원회입니다: {panel}", "There is no such panel: {panel}"
)
BELOW_PASSING = FindingKind(
    "BELOW_PASSING",
    "총점 {score}점이 지정 기준 {limit}점에 미달합니다.",
    "The total of {score} is below the {limit} points needed.",
)
RANK_TIED = FindingKind(
    "RANK_TIED",
    "총점과 동점 처리 기준이 모두 같아 위원회가 순위를 정해야 합니다.",
    "The totals and all tie-breaks are equal; the committee decides.",
    level="warning",
)
