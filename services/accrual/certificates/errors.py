"""What can go wrong with certificates."""

from shared.problems import FindingKind, NotFound

AS_OF_FUTURE = FindingKind(
    "AS_OF_FUTURE",
    ko="기준일은 오늘({today})까지 지정할 수 있습니다.",
    en="The day of the certificate can be today ({today}) at the latest.",
    rule="M-052",
)
GLYPH_MISSING = FindingKind(
    "GLYPH_MISSING",
    ko="'{char}'({code_point})은(는) 확인서 글꼴에 없는 글자입니다. 다른 글자로 바꿔 주세요.",
    en="The font of certificates has no '{char}' ({code_point}). Please use another character.",
    rule="M-052",
)
NUMBER_MISTYPED = FindingKind(
    "NUMBER_MISTYPED",
    ko="문서확인번호를 잘못 입력했습니다. 확인서에 적힌 17자리를 다시 확인하세요.",
    en="The verification number is mistyped. Please compare its 17 characters again.",
    rule="M-052",
)


class CertificateNotFound(NotFound):
    """No such number, or another key than its own: which of the two is never said."""

    code = "CERTIFICATE_NOT_FOUND"
    ko = "일치하는 확인서가 없습니다. 문서확인번호와 사업자등록번호(확인코드)를 확인하세요."
    en = "No certificate matches. Please check the verification number and the second key."
