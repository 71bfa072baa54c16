"""What a certification can refuse or remark."""

from shared.problems import FindingKind, NotFound

NOT_ELIGIBLE_UNIVERSITY = FindingKind(
    "NOT_ELIGIBLE_UNIVERSITY",
    "대학과 대학 산학협력단은 우수기관 인증을 신청할 수 없습니다.",
    "Universities and their cooperation foundations cannot be certified.",
    rule="M-061",
)
NO_MILEAGE = FindingKind(
    "NO_MILEAGE",
    "{on} 기준 적립 마일리지가 {points:,}점입니다. {required:,}점 이상이어야 신청할 수 있습니다.",
    "{points:,} points were posted by {on}; {required:,} are needed.",
    rule="M-061",
)
STATEMENT_MISSING = FindingKind(
    "STATEMENT_MISSING", "작성하지 않은 항목입니다: {name_ko}", "Not written yet: {name_en}"
)
STATEMENT_LONG = FindingKind(
    "STATEMENT_LONG",
    "{name_ko}: {limit:,}자까지 쓸 수 있습니다(현재 {given:,}자).",
    "{name_en} has {given:,} characters; {limit:,} are allowed.",
)
PROMISE_MISSING = FindingKind(
    "PROMISE_MISSING", "확인이 필요합니다: {name_ko}", "This has to be affirmed: {name_en}"
)
ATTACHMENT_MISSING = FindingKind(
    "ATTACHMENT_MISSING", "제출 서류가 없습니다: {name_ko}", "A document is missing: {name_en}"
)
PART_UNKNOWN = FindingKind(
    "PART_UNKNOWN", "이 신청서에 없는 항목입니다: {part}", "The form has no such part: {part}"
)
ATTACHMENT_UNKNOWN = FindingKind(
    "ATTACHMENT_UNKNOWN",
    "이 공고의 제출 서류가 아닙니다. 가능한 서류: {known}",
    "The call asks for no such document. Known: {known}",
)
TOO_EARLY = FindingKind(
    "BEFORE_CLOSING",
    "신청 자격은 접수 마감({closes_on}) 뒤에 그날을 기준으로 확인합니다.",
    "Eligibility is tested as of the closing day ({closes_on}), once the call has closed.",
    rule="M-061",
)
COUNCIL_INCOMPLETE = FindingKind(
    "COUNCIL_INCOMPLETE",
    "심의하지 않은 신청이 있습니다: {institution}",
    "The council has not decided on: {institution}",
    rule="M-061",
)
COUNCIL_UNKNOWN = FindingKind(
    "COUNCIL_UNKNOWN",
    "평가가 끝난 이 공고의 신청이 아닙니다: {application}",
    "This is no scored application of the call: {application}",
    rule="M-061",
)
COUNCIL_NOT_PASSING = FindingKind(
    "COUNCIL_NOT_PASSING",
    "{institution}: 인증 기준 점수에 미달하여 추천할 수 없습니다.",
    "{institution} did not pass and cannot be recommended.",
    rule="M-061",
)
NOT_RECOMMENDED = FindingKind(
    "NOT_RECOMMENDED",
    "운영협의체가 추천한 신청이 아닙니다: {application}",
    "The council did not recommend this application: {application}",
    rule="M-061",
)


class CertificateNotFound(NotFound):
    code = "CERTIFICATE_NOT_FOUND"
    ko, en = "해당 인증서가 없습니다.", "There is no such certificate."
