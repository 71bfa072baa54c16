"""What can go wrong with webhooks."""

from shared.problems import FindingKind, Problem

TARGET_REFUSED = FindingKind(
    "TARGET_REFUSED",
    "이 주소로는 보낼 수 없습니다: {reason}",
    "This address cannot be a target: {reason}",
)
EVENT_UNKNOWN = FindingKind(
    "EVENT_UNKNOWN", "'{event}' 이벤트는 없습니다.", "There is no event '{event}'."
)


class TooManyEndpoints(Problem):
    status, code = 409, "TOO_MANY_ENDPOINTS"
    ko, en = (
        "웹훅은 {limit}개까지 등록할 수 있습니다.",
        "At most {limit} webhooks can be registered.",
    )


class TargetRefused(Exception):  # noqa: N818  # the outcome of an attempt, not an answer
    """The address may not be connected to; the text says why."""
