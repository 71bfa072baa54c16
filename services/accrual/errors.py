"""What can go wrong in accrual applications and criteria: findings of a check, and problems.

Findings are collected, all of them at once, and answered inside `SheetInvalid` or a preview;
problems end a request. The ledger's own problems are in `ledger/errors.py`.
"""

from shared.problems import FindingKind, Invalid, Problem

# --- one cell -------------------------------------------------------------------------------

REQUIRED = FindingKind(
    "REQUIRED",
    "'{column}'은(는) 반드시 입력해야 합니다.",
    "'{column_en}' is required.",
    rule="M-013",
)
DIGITS_ONLY = FindingKind(
    "DIGITS_ONLY",
    "{row}행 {column}: 숫자만 입력할 수 있습니다. '{value}' → '{suggestion}'",
    "Row {row}, {column_en}: digits only. '{value}' → '{suggestion}'",
    rule="M-012",
    citation="S1:422",
)
DIGITS_ONLY_UNCLEAR = FindingKind(
    "DIGITS_ONLY",
    "{row}행 {column}: 숫자만 입력할 수 있습니다. '{value}'",
    "Row {row}, {column_en}: digits only. '{value}'",
    rule="M-012",
    citation="S1:422",
)
BRN_LENGTH = FindingKind(
    "BRN_LENGTH",
    "사업자등록번호는 10자리입니다.",
    "A business registration number has 10 digits.",
    rule="M-013",
)
BRN_COMPONENT = FindingKind(
    "BRN_COMPONENT",
    "사업자등록번호로 쓰이지 않는 번호입니다.",
    "No business registration number is made up like this.",
    rule="M-013",
)
BRN_CHECKSUM = FindingKind(
    "BRN_CHECKSUM",
    "사업자등록번호가 올바르지 않습니다(검증번호 불일치).",
    "The check digit of the business registration number does not match.",
    rule="M-013",
)
DATE_INVALID = FindingKind(
    "DATE_INVALID",
    "존재하지 않는 날짜입니다(YYYYMMDD).",
    "There is no such date (YYYYMMDD).",
    rule="M-013",
)
YEAR_RANGE = FindingKind(
    "YEAR_RANGE",
    "입학년도는 {earliest}년부터 {latest}년까지입니다.",
    "The year of admission is between {earliest} and {latest}.",
    rule="M-013",
)
HOURS_INVALID = FindingKind(
    "HOURS_INVALID",
    "실습시간은 1시간 이상 {limit:,}시간 이하의 정수입니다.",
    "Hours are a whole number from 1 to {limit:,}.",
    rule="M-013",
)
WON_INVALID = FindingKind(
    "WON_INVALID",
    "금액은 {minimum}원 이상, 15자리 이하의 정수입니다.",
    "An amount is a whole number of won, at least {minimum}, of at most 15 digits.",
    rule="M-013",
)
TEXT_TOO_LONG = FindingKind(
    "TEXT_TOO_LONG",
    "'{column}'은(는) {limit}자까지 입력할 수 있습니다(현재 {length}자).",
    "'{column_en}' may have {limit} characters and has {length}.",
    rule="M-013",
)
MERGED_AMOUNT = FindingKind(
    "MERGED_AMOUNT",
    "병합된 칸입니다. 병합을 풀고 행마다 입력하세요.",
    "The cell is merged. Unmerge it and fill in each row.",
    rule="M-014",
)

# --- one row --------------------------------------------------------------------------------

DATE_ORDER = FindingKind(
    "DATE_ORDER",
    "종료일이 시작일보다 빠릅니다.",
    "The end comes before the start.",
    rule="M-013",
)
DATE_FUTURE = FindingKind(
    "DATE_FUTURE",
    "기준일이 신청일 이후입니다. 활동(입금) 완료 후 신청하세요.",
    "The reference date lies after today. Apply when the activity (payment) is complete.",
    rule="M-022",
    citation="S1:536",
)
BEFORE_REFORM = FindingKind(
    "BEFORE_REFORM",
    "{since_ko} 이전 활동은 소급 적립할 수 없습니다.",
    "Activities before {since} earn no mileage.",
    rule="M-021",
    citation="S1:672",
)
WINDOW_EXPIRED = FindingKind(
    "WINDOW_EXPIRED",
    "기준일 {reference}부터 1년이 지나 신청할 수 없습니다(마감 {last_day}).",
    "More than a year has passed since {reference} (the last day was {last_day}).",
    rule="M-022",
    citation="S1:536",
)
NOT_STANDARD_PRACTICE = FindingKind(
    "NOT_STANDARD_PRACTICE",
    "표준 현장실습학기제만 적립할 수 있습니다.",
    "Only standard field practice earns mileage.",
    rule="M-030",
    citation="S1:524",
)
COURSE_TYPE = FindingKind(
    "COURSE_TYPE",
    "계약학과·주문식교육과정·캡스톤디자인만 가능합니다(IPP형 일학습병행 제외).",
    "Only contract departments, customised courses and capstone design (not IPP) earn mileage.",
    rule="M-030",
    citation="S1:683-684",
)
HIRE_ROUTE = FindingKind(
    "HIRE_ROUTE",
    "표준 현장실습·계약학과·주문식교육과정·캡스톤디자인 이수 학생의 채용만 적립할 수 있습니다.",
    "Only hiring after standard practice, a contract department, a customised course or capstone "
    "design earns mileage.",
    rule="M-030",
    citation="S1:688",
)
HIRE_OTHER_COMPANY = FindingKind(
    "HIRE_OTHER_COMPANY",
    "산학협력 교육과정을 수행한 기업과 채용 기업이 다릅니다.",
    "The hiring company is not the company of the cooperative curriculum.",
    rule="M-030",
    citation="S1:688",
)
PUBLIC_FACILITY = FindingKind(
    "PUBLIC_FACILITY",
    "공공시설 사용료는 적립 대상이 아닙니다.",
    "Fees for public facilities earn no mileage.",
    rule="M-030",
    citation="S1:705-706",
)
MEMBERSHIP_FEE = FindingKind(
    "MEMBERSHIP_FEE",
    "가족회사 가입비·회비는 적립할 수 없습니다.",
    "Membership fees of family companies earn no mileage.",
    rule="M-030",
    citation="S1:710",
)
VAT_UNPROVEN = FindingKind(
    "VAT_UNPROVEN",
    "부가세 포함 금액의 증빙이 필요합니다.",
    "An amount including VAT needs proof.",
    rule="M-030",
    citation="S1:700-701",
)
NO_ELIGIBLE_AMOUNT = FindingKind(
    "NO_ELIGIBLE_AMOUNT",
    "제외금액을 빼면 적립할 금액이 없습니다.",
    "Nothing is left after the excluded amount.",
    rule="M-034",
)
SUPPLY_VAT_SUM = FindingKind(
    "SUPPLY_VAT_SUM",
    "공급가액과 부가세의 합 {total:,}원이 입금액 {deposit:,}원과 다릅니다.",
    "Supply value and VAT add up to {total:,}, the deposit is {deposit:,}.",
    level="warning",
    rule="M-030",
)

# --- between rows ---------------------------------------------------------------------------

DUPLICATE_CLAIM = FindingKind(
    "DUPLICATE_CLAIM",
    "이미 신청된 실적입니다({number}).",
    "This was claimed before ({number}).",
    rule="M-020",
)
DUPLICATE_ROW = FindingKind(
    "DUPLICATE_CLAIM",
    "이미 신청된 실적입니다({other}행).",
    "This was claimed before (row {other}).",
    rule="M-020",
)
SIMILAR_CLAIM = FindingKind(
    "SIMILAR_CLAIM",
    "{other}행과 같은 실적인지 확인하세요.",
    "Please make sure that this is not the same as row {other}.",
    level="warning",
    rule="M-020",
)
COMPANY_NAME_DIFFERS = FindingKind(
    "COMPANY_NAME_DIFFERS",
    "같은 사업자번호의 기업명이 {other}행 '{name}'과(와) 다릅니다.",
    "Row {other} calls the company with this number '{name}'.",
    level="warning",
    rule="M-008",
)
CONTRACT_AMOUNT_DIFFERS = FindingKind(
    "CONTRACT_AMOUNT_DIFFERS",
    "같은 계약의 계약금액이 {other}행({amount:,}원)과 다릅니다.",
    "Row {other} gives {amount:,} won as the amount of this contract.",
    rule="M-033",
)
PAYMENT_INCOMPLETE = FindingKind(
    "PAYMENT_INCOMPLETE",
    "계약금액 중 {missing:,}원이 미입금입니다.",
    "{missing:,} won of the contract amount have not been paid.",
    rule="M-033",
    citation="S1:696",
)
DEPOSIT_OVER_CONTRACT = FindingKind(
    "DEPOSIT_OVER_CONTRACT",
    "입금액 합계가 계약금액보다 {excess:,}원 많습니다.",
    "The deposits exceed the contract amount by {excess:,} won.",
    level="warning",
    rule="M-033",
)
COMPANY_ZERO_MILEAGE = FindingKind(
    "COMPANY_ZERO_MILEAGE",
    "이 기업의 산출 마일리지가 0점입니다.",
    "The mileage of this company comes to 0.",
    level="warning",
    rule="M-016",
)

# --- the whole sheet ------------------------------------------------------------------------

NO_ROWS = FindingKind("NO_ROWS", "입력한 행이 없습니다.", "There are no rows.", rule="M-016")
TOO_MANY_ROWS = FindingKind(
    "TOO_MANY_ROWS",
    "한 번에 {limit:,}행까지 등록할 수 있습니다.",
    "At most {limit:,} rows can be registered at once.",
    rule="M-015",
)
MANY_ROWS = FindingKind(
    "MANY_ROWS",
    "일괄등록은 {advised:,}건 이하를 권장합니다(현재 {count:,}건).",
    "We advise at most {advised:,} rows at once; these are {count:,}.",
    level="warning",
    rule="M-015",
    citation="S1:426",
)
ZERO_MILEAGE = FindingKind(
    "ZERO_MILEAGE",
    "산출 마일리지가 0점입니다.",
    "The mileage comes to 0.",
    rule="M-016",
)
EVIDENCE_MISSING = FindingKind(
    "EVIDENCE_MISSING",
    "{name} 필수 증빙({missing})이 없습니다.",
    "{name_en}: required evidence is missing ({missing_en}).",
    rule="M-010",
    citation="S1:536-543",
)
COLUMN_MISSING = FindingKind(
    "COLUMN_MISSING",
    "'{column}' 열이 없습니다.",
    "The column '{column_en}' is missing.",
    rule="M-014",
)
COLUMN_TWICE = FindingKind(
    "COLUMN_TWICE",
    "'{column}' 열이 두 번 있습니다({first}열, {second}열).",
    "The column '{column_en}' occurs twice ({first} and {second}).",
    rule="M-014",
)
COLUMN_UNKNOWN = FindingKind(
    "COLUMN_UNKNOWN",
    "'{header}' 열은 쓰이지 않아 읽지 않았습니다.",
    "The column '{header}' is not used and was not read.",
    level="warning",
    rule="M-014",
)
ROW_HIDDEN = FindingKind(
    "ROW_HIDDEN",
    "숨겨진 행입니다. 다른 행과 함께 등록됩니다.",
    "The row is hidden. It is registered like any other.",
    level="warning",
    rule="M-014",
)
SHEETS_IGNORED = FindingKind(
    "SHEETS_IGNORED",
    "'{read}' 시트만 읽었습니다. 읽지 않은 시트: {ignored}",
    "Only the sheet '{read}' was read, not: {ignored}",
    level="warning",
    rule="M-014",
)

KINDS = {kind.code: kind for kind in vars().copy().values() if isinstance(kind, FindingKind)}
"""Every finding by its code; criteria files name those of their restrictions."""


class SheetInvalid(Invalid):
    """The rows have errors; nothing was saved (M-014)."""

    code = "SHEET_INVALID"
    ko = "형식에 맞지 않는 데이터가 존재합니다. 오류를 수정하여 다시 업로드 하세요!"
    en = "Some data is not in the expected form. Please correct it and upload again."


class FieldNotPermitted(Problem):
    """A sub-account touches a field it has no permission for (M-006); give `name=`."""

    status, code = 403, "FIELD_NOT_PERMITTED"
    ko = "'{name}' 분야의 권한이 없습니다."
    en = "You have no permission for the field '{name}'."


class SelfReview(Problem):
    """The reviewer submitted the application (M-018)."""

    status, code = 403, "SELF_REVIEW"
    ko = "본인이 제출한 신청은 검토할 수 없습니다."
    en = "You cannot review what you submitted."


class ReasonRequired(Problem):
    """A rejection or a return without a reason (M-018)."""

    status, code = 422, "REASON_REQUIRED"
    ko = "반려·보완요청에는 사유가 필요합니다."
    en = "A rejection or a request for correction needs a reason."
