"""What can go wrong with survey windows and figures."""

from shared.problems import FindingKind, NotFound, Problem

ON_FUTURE = FindingKind(
    "DATE_FUTURE",
    ko="오늘({today})까지의 날짜를 지정하세요.",
    en="The day can be today ({today}) at the latest.",
    rule="M-061",
)
WINDOW_ORDER = FindingKind(
    "DATE_ORDER",
    ko="종료일이 시작일보다 빠릅니다.",
    en="The end comes before the start.",
    rule="M-060",
)
WINDOW_PAST = FindingKind(
    "WINDOW_PAST",
    ko="종료일은 오늘({today}) 이후여야 합니다.",
    en="The period cannot end before today ({today}).",
    rule="M-060",
)


class WindowNotFound(NotFound):
    code = "WINDOW_NOT_FOUND"
    ko, en = "해당 연도의 실태조사가 없습니다.", "There is no survey of this year."


class WindowOverlaps(Problem):
    status, code = 409, "WINDOW_OVERLAPS"
    ko = "다른 연도의 조사기간과 겹칩니다."
    en = "The period overlaps with another year's."


class WindowEnded(Problem):
    """The figures of a period that is over are settled; give `ended=`."""

    status, code = 409, "WINDOW_ENDED"
    ko = "이미 끝난 조사기간({ended} 마감)은 바꿀 수 없습니다."
    en = "A period that is over (it ended on {ended}) cannot be changed."
