"""What partners hear of: the names of the events, by what happened. Pure."""

EVENTS_BY_ACTION = {
    "submit": "application.submitted",
    "cancel": "application.cancelled",
    "claim": "application.review_started",
    "release": "application.review_released",
    "return": "application.returned",
    "reject": "application.rejected",
    "approve": "application.approved",
    "post": "application.posted",
    "revoke": "application.revoked",
}
EVENTS = frozenset({*EVENTS_BY_ACTION.values(), "intake.finished"})
