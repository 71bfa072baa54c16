"""What can go wrong when mileage is to be used in a programme."""

from shared.problems import FindingKind, NotFound, Problem

BELOW_ONE_STEP = FindingKind(
    "BELOW_ONE_STEP",
    ko="가점은 {step}점 단위로 인정됩니다. {step}점 이상을 신청하세요.",
    en="Points are given for every {step} points of mileage. Please ask for {step} at least.",
    rule="M-050",
)
MILEAGE_SHORT = FindingKind(
    "MILEAGE_SHORT",
    ko="가용 마일리지가 {available}점입니다. {needed}점이 필요합니다.",
    en="{available} points are available, {needed} are needed.",
    rule="M-050",
)
NOT_CERTIFIED = FindingKind(
    "NOT_CERTIFIED",
    ko="{on} 현재 우수기관 인증이 유효한 기업만 신청할 수 있습니다.",
    en="Only companies whose certification is valid on {on} can apply.",
    rule="M-061",
)
CERTIFICATE_OTHER = FindingKind(
    "CERTIFICATE_OTHER",
    ko="입력한 인증번호가 유효한 인증({number})과 다릅니다.",
    en="The number given is not that of the valid certificate ({number}).",
    rule="M-061",
)
NOT_A_COMPANY = FindingKind(
    "NOT_A_COMPANY",
    ko="우수기관 인증 가점은 기업만 신청할 수 있습니다.",
    en="Only companies can apply for the bonus of certified institutions.",
    rule="M-061",
)
STEPS_EXCEEDED = FindingKind(
    "STEPS_EXCEEDED",
    ko="신청한 {steps}단계보다 많이 확정할 수 없습니다.",
    en="No more than the {steps} steps asked for can be confirmed.",
    rule="M-050",
)


class UtilisationNotFound(NotFound):
    code = "UTILISATION_NOT_FOUND"
    ko, en = "해당 활용신청이 없습니다.", "There is no such request."


class ProgrammeNotFound(NotFound):
    code = "PROGRAMME_NOT_FOUND"
    ko, en = "해당 사업이 없습니다.", "There is no such programme."


class ProgrammeNotOpen(Problem):
    status, code = 409, "PROGRAMME_NOT_OPEN"
    ko = "지금은 이 사업에 활용신청을 할 수 없습니다."
    en = "This programme does not take requests now."


class NoBonus(Problem):
    status, code = 409, "PROGRAMME_WITHOUT_BONUS"
    ko = "마일리지 가점이 없는 사업입니다."
    en = "This programme gives no points for mileage."


class AlreadyRequested(Problem):
    status, code = 409, "ALREADY_REQUESTED"
    ko = "이 사업에 이미 활용신청을 했습니다."
    en = "You have already asked for this programme's points."
