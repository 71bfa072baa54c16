"""Everything the auth service can refuse, with its code and its text in both languages."""

from typing import Any, ClassVar

from shared.problems import FindingKind, Lang, Problem

# --- OAuth 2: problems that also carry the `error` member of RFC 6749 -----------------------------


class OAuthProblem(Problem):
    error: ClassVar[str] = "invalid_request"
    status, code = 400, "OAUTH_INVALID_REQUEST"
    ko = "토큰 요청이 올바르지 않습니다: {reason}"
    en = "The token request is not valid: {reason}"

    def to_dict(self, lang: Lang, *, instance: str, trace_id: str) -> dict[str, Any]:
        body = super().to_dict(lang, instance=instance, trace_id=trace_id)
        return {**body, "error": self.error, "error_description": self.title("en")}


class UnsupportedGrant(OAuthProblem):
    error, code = "unsupported_grant_type", "OAUTH_GRANT_UNSUPPORTED"
    ko, en = "지원하지 않는 인증 방식입니다.", "This grant type is not supported."


class ClientUnknown(OAuthProblem):
    status, error, code = 401, "invalid_client", "OAUTH_CLIENT_INVALID"
    ko, en = "클라이언트 인증에 실패했습니다.", "Client authentication failed."

    def __init__(self, **params: Any) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Basic realm="token"'}, **params)


class ClientNotAllowed(OAuthProblem):
    error, code = "unauthorized_client", "OAUTH_CLIENT_NOT_ALLOWED"
    ko = "이 클라이언트에 허용되지 않은 인증 방식입니다."
    en = "This client may not use this grant type."


class ScopeNotAllowed(OAuthProblem):
    error, code = "invalid_scope", "OAUTH_SCOPE_NOT_ALLOWED"
    ko, en = (
        "허용되지 않은 권한 범위입니다.",
        "This client may not have this scope for this audience.",
    )


class LoginFailed(OAuthProblem):
    """One text for every reason: unknown id, wrong password, no password yet (M-001)."""

    error, code = "invalid_grant", "LOGIN_FAILED"
    ko, en = "아이디 또는 비밀번호가 올바르지 않습니다.", "The ID or the password is not correct."


class AccountDisabled(OAuthProblem):
    """Only told to someone who knows the password."""

    error, code = "invalid_grant", "ACCOUNT_DISABLED"
    ko = "사용이 정지된 계정입니다. 운영기관에 문의하세요."
    en = "This account has been disabled. Please contact the operator."


class LoginThrottled(OAuthProblem):
    status, error, code = 429, "temporarily_unavailable", "LOGIN_THROTTLED"
    ko = "로그인 시도가 많습니다. {seconds}초 후에 다시 시도하세요."
    en = "Too many attempts. Please try again in {seconds} seconds."

    def __init__(self, *, seconds: int) -> None:
        super().__init__(headers={"Retry-After": str(seconds)}, seconds=seconds)


class LoginBusy(OAuthProblem):
    status, error, code = 503, "temporarily_unavailable", "LOGIN_BUSY"
    ko = "로그인 요청이 몰리고 있습니다. 잠시 후 다시 시도하세요."
    en = "Many people are logging in right now. Please try again in a moment."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "2"})


class RefreshRefused(OAuthProblem):
    error, code = "invalid_grant", "REFRESH_REFUSED"
    ko, en = "로그인이 끝났습니다. 다시 로그인하세요.", "The session is over. Please log in again."


# --- M-003 passwords --------------------------------------------------------------------------

PW_LENGTH = FindingKind(
    "PW_LENGTH",
    ko="비밀번호는 {least}자 이상 {most}자 이하로 입력하세요.",
    en="Use {least} to {most} characters.",
    rule="M-003",
    citation="S1:184",
)
PW_CLASS = FindingKind(
    "PW_CLASS",
    ko="영문, 숫자, 특수문자를 각각 1자 이상 넣고 공백은 빼세요.",
    en="Use at least one Latin letter, one digit and one special character, and no spaces.",
    rule="M-003",
    citation="S1:184",
)
PW_CONTAINS_ID = FindingKind(
    "PW_CONTAINS_ID",
    ko="비밀번호에 아이디를 넣을 수 없습니다.",
    en="The password must not contain the ID.",
    rule="M-003",
    citation="S1:185",
)
PW_MISMATCH = FindingKind(
    "PW_MISMATCH",
    ko="비밀번호 확인이 일치하지 않습니다.",
    en="The two passwords differ.",
    rule="M-003",
)
PW_CURRENT_WRONG = FindingKind(
    "PW_CURRENT_WRONG",
    ko="현재 비밀번호가 올바르지 않습니다.",
    en="The current password is not correct.",
    rule="M-003",
)
PW_UNCHANGED = FindingKind(
    "PW_UNCHANGED",
    ko="현재 비밀번호와 다른 비밀번호를 입력하세요.",
    en="The new password must differ from the current one.",
    rule="M-003",
)
PW_COMMON = FindingKind(
    "PW_COMMON",
    ko="널리 쓰여 추측하기 쉬운 비밀번호입니다.",
    en="This password is too common.",
    rule="M-003",
)
CONTACT_REQUIRED = FindingKind(
    "CONTACT_REQUIRED",
    ko="대표 연락처를 입력하세요.",
    en="Please enter the representative telephone number.",
    rule="M-002",
    citation="S1:171",
)

# --- M-013 business numbers -------------------------------------------------------------------

BRN_LENGTH = FindingKind(
    "BRN_LENGTH",
    ko="사업자등록번호는 10자리입니다.",
    en="A business registration number has 10 digits.",
    rule="M-013",
)
BRN_CHECKSUM = FindingKind(
    "BRN_CHECKSUM",
    ko="사업자등록번호가 올바르지 않습니다(검증번호 불일치).",
    en="This business registration number fails its check digit.",
    rule="M-013",
)
BRN_COMPONENT = FindingKind(
    "BRN_COMPONENT",
    ko="존재할 수 없는 사업자등록번호입니다.",
    en="No such business registration number can exist.",
    rule="M-013",
)
NAME_REQUIRED = FindingKind("NAME_REQUIRED", ko="기업명을 입력하세요.", en="Please give the name.")

# --- accounts ---------------------------------------------------------------------------------


class SecondFactorRequired(OAuthProblem):
    """The password was right; send it again with `otp` or `passkey`."""

    error, code = "invalid_grant", "SECOND_FACTOR_REQUIRED"
    ko = "인증 앱의 6자리 번호를 입력하거나 패스키로 확인하세요."
    en = "Please enter the six-digit code of your authenticator app, or confirm with a passkey."


class SecondFactorWrong(OAuthProblem):
    error, code = "invalid_grant", "SECOND_FACTOR_WRONG"
    ko = "인증 번호가 올바르지 않거나 이미 사용되었습니다."
    en = "The code is not correct or was used before."


class PasskeyRefused(OAuthProblem):
    """One text for every reason: an unknown key, another origin, a challenge used before …"""

    error, code = "invalid_grant", "PASSKEY_REFUSED"
    ko = "패스키로 확인하지 못했습니다. 다시 시도하세요."
    en = "The passkey could not be confirmed. Please try again."


class PasskeyKnown(Problem):
    status, code = 409, "PASSKEY_KNOWN"
    ko, en = "이미 등록된 패스키입니다.", "This passkey is registered already."


class PasskeysFull(Problem):
    status, code = 409, "PASSKEYS_FULL"
    ko = "패스키는 {most}개까지 등록할 수 있습니다. 쓰지 않는 패스키를 먼저 지우세요."
    en = "At most {most} passkeys can be registered. Please remove one that is not used."


class LinkUnusable(Problem):
    status, code = 410, "LINK_UNUSABLE"
    ko = "이미 사용했거나 기한이 지난 주소입니다. 새 주소를 요청하세요."
    en = "This link was used or has expired. Please ask for a new one."


class SecondFactorMissing(Problem):
    status, code = 409, "SECOND_FACTOR_MISSING"
    ko = "먼저 2단계 인증 등록을 시작하세요."
    en = "Please begin the registration of a second factor first."


class SecondFactorPresent(Problem):
    status, code = 409, "SECOND_FACTOR_PRESENT"
    ko = "2단계 인증이 이미 등록되어 있습니다."
    en = "A second factor is registered already."


class SecondFactorNeeded(Problem):
    status, code = 409, "SECOND_FACTOR_NEEDED"
    ko = "이 계정은 2단계 인증을 해제할 수 없습니다."
    en = "This account has to keep its second factor."


class SelfTreatment(Problem):
    """Nobody locks himself out, or loosens what others set for him."""

    status, code = 409, "OWN_ACCOUNT"
    ko = "자신의 계정에는 할 수 없습니다."
    en = "You cannot do this to your own account."


LOGIN_ID_RULE = FindingKind(
    "LOGIN_ID_RULE",
    ko="아이디는 '{parent}' 뒤에 영문 소문자나 숫자를 붙여 만드세요(예: {parent}_01).",
    en="Build the ID from '{parent}' and small letters or digits (for example {parent}_01).",
    rule="M-006",
    citation="S1:324",
)
LOGIN_ID_FORM = FindingKind(
    "LOGIN_ID_FORM",
    ko="아이디는 영문 소문자로 시작하는 3~32자의 영문 소문자, 숫자, 밑줄(_)입니다.",
    en="An ID has 3 to 32 small letters, digits or underscores and starts with a letter.",
)
LOGIN_ID_TAKEN = FindingKind(
    "LOGIN_ID_TAKEN",
    ko="이미 사용 중인 아이디입니다.",
    en="This ID is taken.",
    rule="M-006",
)
DUP_CHECK_REQUIRED = FindingKind(
    "DUP_CHECK_REQUIRED",
    ko="아이디 중복검사를 먼저 하세요.",
    en="Please check first whether the ID is free.",
    rule="M-006",
)
ROLE_NOT_HERE = FindingKind(
    "ROLE_NOT_HERE",
    ko="이 기관에는 '{role}' 역할의 계정을 만들 수 없습니다.",
    en="This institution cannot have accounts with the role '{role}'.",
)
FIELDS_NOT_HERE = FindingKind(
    "FIELDS_NOT_HERE",
    ko="적립분야 권한은 적립기관의 하위계정에만 줄 수 있습니다.",
    en="Accrual fields can be given to sub-accounts of accrual institutions only.",
    rule="M-006",
)
FIELD_TWICE = FindingKind(
    "FIELD_TWICE", ko="같은 적립분야가 두 번 있습니다.", en="This field is listed twice."
)
CODE_WRONG = FindingKind(
    "CODE_WRONG", ko="인증 번호가 올바르지 않습니다.", en="The code is not correct."
)

PASSKEY_UNUSABLE = FindingKind(
    "PASSKEY_UNUSABLE",
    ko="패스키를 등록하지 못했습니다. 처음부터 다시 등록하세요.",
    en="The passkey could not be registered. Please begin again.",
)

# --- institutions -----------------------------------------------------------------------------

COMPANY_NAME_DIFFERS = FindingKind(
    "COMPANY_NAME_DIFFERS",
    ko="입력한 기업명 '{given}'이(가) 등록된 기업명 '{registered}'과(와) 다릅니다.",
    en="The name '{given}' differs from the registered name '{registered}'.",
    level="warning",
    rule="M-008",
    citation="S1:579",
)
COMPANY_NOT_ACTIVE = FindingKind(
    "COMPANY_NOT_ACTIVE",
    ko="휴업 또는 폐업한 사업자입니다.",
    en="This business is dormant or closed.",
    level="warning",
    rule="M-055",
)
COMPANY_MERGED = FindingKind(
    "COMPANY_MERGED",
    ko="'{name}'({brn})에 합병된 기업입니다.",
    en="This company became part of '{name}' ({brn}).",
    level="warning",
    rule="M-055",
)
BRN_TAKEN = FindingKind(
    "BRN_TAKEN",
    ko="이 사업자등록번호는 '{name}'으로 이미 등록되어 있습니다.",
    en="This business registration number belongs to '{name}' already.",
)
BRN_REQUIRED = FindingKind(
    "BRN_REQUIRED",
    ko="기업은 사업자등록번호가 있어야 합니다.",
    en="A company needs its business registration number.",
    rule="M-055",
)
COMPANY_FIELD_ONLY = FindingKind(
    "COMPANY_FIELD_ONLY",
    ko="기업만 입력하는 항목입니다.",
    en="Only companies have this field.",
    rule="M-055",
)
KIND_FIXED = FindingKind(
    "KIND_FIXED",
    ko="등록된 기관의 구분은 바꿀 수 없습니다(대학과 산학협력단 사이는 가능).",
    en="The kind of a registered institution cannot change, but between university and IACF.",
)
MERGE_TARGET = FindingKind(
    "MERGE_TARGET",
    ko="합병될 기업을 다시 확인하세요. 자기 자신이나 이미 합병된 기업은 고를 수 없습니다.",
    en="Choose another company: not the same one, and none that was merged itself.",
    rule="M-055",
)
CAMPUS_TAKEN = FindingKind(
    "CAMPUS_TAKEN",
    ko="같은 이름의 캠퍼스가 있습니다.",
    en="There is a campus with this name.",
)

# --- sheets of institutions -------------------------------------------------------------------


SHEET_EMPTY = FindingKind("NO_ROWS", ko="등록할 행이 없습니다.", en="There are no rows.")
SHEET_TOO_LONG = FindingKind(
    "TOO_MANY_ROWS",
    ko="한 번에 {most}행까지 등록할 수 있습니다.",
    en="At most {most} rows can be registered at once.",
)
CELL_REQUIRED = FindingKind(
    "CELL_REQUIRED",
    ko="{row}행 {column}: 값을 입력하세요.",
    en="Row {row}, {column}: a value is needed.",
)
CELL_INVALID = FindingKind(
    "CELL_INVALID",
    ko="{row}행 {column}: '{value}'은(는) 쓸 수 없는 값입니다. {hint}",
    en="Row {row}, {column}: '{value}' is not valid. {hint}",
)
CELL_REPEATED = FindingKind(
    "CELL_REPEATED",
    ko="{row}행 {column}: {first}행과 같은 값입니다.",
    en="Row {row}, {column}: the same value as in row {first}.",
)
CELL_TAKEN = FindingKind(
    "CELL_TAKEN",
    ko="{row}행 {column}: '{value}'은(는) 이미 등록되어 있습니다.",
    en="Row {row}, {column}: '{value}' is registered already.",
)

# --- partner systems --------------------------------------------------------------------------

SCOPE_REFUSED = FindingKind(
    "SCOPE_REFUSED",
    ko="이 기관의 연계 시스템에는 '{scope}' 권한을 줄 수 없습니다.",
    en="Partner systems of this institution cannot have the scope '{scope}'.",
)
ADDRESS_INVALID = FindingKind(
    "ADDRESS_INVALID",
    ko="'{value}'은(는) IP 주소나 대역(CIDR)이 아닙니다.",
    en="'{value}' is neither an IP address nor a network (CIDR).",
)


class TooManySecrets(Problem):
    status, code = 409, "TOO_MANY_SECRETS"
    ko = "비밀 키는 한 번에 {most}개까지 쓸 수 있습니다. 쓰지 않는 키를 먼저 폐기하세요."
    en = "At most {most} secrets can be valid at once. Withdraw one first."


# --- letters of other services ----------------------------------------------------------------


class LetterConflict(Problem):
    status, code = 409, "LETTER_CONFLICT"
    ko = "같은 번호로 다른 편지를 이미 받았습니다."
    en = "There is another letter under this id."


# --- boards -----------------------------------------------------------------------------------


class TooManyFiles(Problem):
    status, code = 409, "TOO_MANY_FILES"
    ko = "파일은 {most}개까지 첨부할 수 있습니다."
    en = "At most {most} files can be attached."
