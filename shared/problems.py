"""Failures and findings, as values: what went wrong, in Korean and English, with a stable code.

Standard library only, so that the pure rules of every service and the gateway may use it;
`shared.app` renders a `Problem` once, as RFC 9457 `application/problem+json`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar, Literal

Lang = Literal["ko", "en"]
Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One thing a check can say: a stable code, its text in both languages, and its source rule.

    Texts are `str.format` templates over the parameters given to `at`. `rule` is the number of
    the rule in the rule book (`M-012`, `G-021`), `citation` the place in the source document.
    """

    code: str
    ko: str
    en: str
    level: Level = "error"
    rule: str | None = None
    citation: str | None = None

    def at(
        self,
        pointer: str = "",
        *,
        row: int | None = None,
        field: str | None = None,
        suggestion: str | None = None,
        **params: Any,
    ) -> "Finding":
        """This finding at a place: a JSON Pointer, and for sheets the row number and the field."""
        return Finding(self, pointer, row, field, suggestion, params)


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of a check about one place of the input."""

    kind: FindingKind
    pointer: str = ""
    row: int | None = None
    field: str | None = None
    suggestion: str | None = None
    params: Mapping[str, Any] = dataclass_field(default_factory=dict)

    @property
    def code(self) -> str:
        return self.kind.code

    @property
    def is_error(self) -> bool:
        return self.kind.level == "error"

    def message(self, lang: Lang = "ko") -> str:
        template = self.kind.ko if lang == "ko" else self.kind.en
        return template.format(
            **{"row": self.row, "field": self.field, "suggestion": self.suggestion, **self.params}
        )

    def to_dict(self, lang: Lang = "ko") -> dict[str, Any]:
        """The item of a problem's `errors[]`; absent parts are left out."""
        item = {
            "pointer": self.pointer,
            "row": self.row,
            "field": self.field,
            "code": self.code,
            "message": self.message(lang),
            "params": dict(self.params) or None,
            "level": self.kind.level,
            "suggestion": self.suggestion,
            "rule": self.kind.rule,
            "citation": self.kind.citation,
        }
        return {key: value for key, value in item.items() if value is not None}


class Problem(Exception):  # noqa: N818  # a problem is the word of RFC 9457
    """A failure the caller can act on. Subclasses set the class variables; texts are templates."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "INTERNAL_ERROR"
    ko: ClassVar[str] = "처리하지 못했습니다. 잠시 후 다시 시도하세요."
    en: ClassVar[str] = "The request could not be handled. Please try again later."

    def __init__(
        self,
        *,
        errors: Sequence[Finding] = (),
        headers: Mapping[str, str] | None = None,
        **params: Any,
    ) -> None:
        super().__init__(self.code)
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.params = params

    def title(self, lang: Lang = "ko") -> str:
        return (self.ko if lang == "ko" else self.en).format(**self.params)

    def to_dict(self, lang: Lang, *, instance: str, trace_id: str) -> dict[str, Any]:
        """The body of RFC 9457 with our extensions `code`, `trace_id`, `params` and `errors`."""
        body: dict[str, Any] = {
            "type": f"/docs/errors#{self.code}",
            "title": self.title(lang),
            "status": self.status,
            "detail": self.title(lang),
            "instance": instance,
            "code": self.code,
            "trace_id": trace_id,
        }
        if self.params:
            body["params"] = self.params
        if self.errors:
            body["errors"] = [finding.to_dict(lang) for finding in self.errors]
        return body


class Unauthenticated(Problem):
    status, code = 401, "TOKEN_REQUIRED"
    ko, en = "로그인이 필요합니다.", "Authentication is required."

    def __init__(self, **params: Any) -> None:
        super().__init__(headers={"WWW-Authenticate": "Bearer"}, **params)


class TokenInvalid(Unauthenticated):
    code = "TOKEN_INVALID"
    ko, en = "인증 정보가 올바르지 않습니다.", "The access token is not valid."


class TokenExpired(Unauthenticated):
    code = "TOKEN_EXPIRED"
    ko, en = "인증 시간이 지났습니다. 다시 로그인하세요.", "The access token has expired."


class TokenRevoked(Unauthenticated):
    code = "TOKEN_REVOKED"
    ko, en = "해지된 인증입니다. 다시 로그인하세요.", "The access token has been revoked."


class PermissionDenied(Problem):
    status, code = 403, "PERMISSION_DENIED"
    ko, en = "이 작업을 할 권한이 없습니다.", "You do not have permission for this action."


class PasswordChangeRequired(Problem):
    status, code = 403, "PASSWORD_CHANGE_REQUIRED"
    ko = "비밀번호를 먼저 변경해야 합니다."
    en = "You must change your password first."


class NotFound(Problem):
    status, code = 404, "NOT_FOUND"
    ko, en = "찾을 수 없습니다.", "Not found."


class MethodNotAllowed(Problem):
    status, code = 405, "METHOD_NOT_ALLOWED"
    ko, en = "지원하지 않는 요청 방식입니다.", "This method is not allowed here."


class StateConflict(Problem):
    """The object is in a state that does not allow the action; give `state=`."""

    status, code = 409, "STATE_CONFLICT"
    ko, en = "'{state}' 상태에서는 할 수 없습니다.", "Not possible in state '{state}'."


class Stale(Problem):
    status, code = 412, "STALE"
    ko = "다른 사람이 먼저 수정했습니다. 최신 내용을 확인하세요."
    en = "Someone changed this first. Reload the latest version."


class PayloadTooLarge(Problem):
    status, code = 413, "PAYLOAD_TOO_LARGE"
    ko, en = "보낸 내용이 너무 큽니다.", "The request body is too large."


class Invalid(Problem):
    """The input is malformed or breaks rules; `errors` lists every finding, not the first only."""

    status, code = 422, "VALIDATION_FAILED"
    ko, en = "입력한 내용을 확인하세요.", "Please check what you entered."


class PreconditionRequired(Problem):
    status, code = 428, "PRECONDITION_REQUIRED"
    ko, en = "If-Match 헤더가 필요합니다.", "The If-Match header is required."


class IdempotencyKeyRequired(Problem):
    status, code = 400, "IDEMPOTENCY_KEY_REQUIRED"
    ko, en = "Idempotency-Key 헤더가 필요합니다.", "The Idempotency-Key header is required."


class IdempotencyKeyReused(Problem):
    status, code = 422, "IDEMPOTENCY_KEY_REUSED"
    ko = "같은 Idempotency-Key가 다른 요청에 쓰였습니다."
    en = "This Idempotency-Key was used for a different request."


class TooManyRequests(Problem):
    status, code = 429, "TOO_MANY_REQUESTS"
    ko, en = "요청이 너무 많습니다. 잠시 후 다시 시도하세요.", "Too many requests."


class UpstreamUnavailable(Problem):
    """Another service did not answer; give `service=`."""

    status, code = 503, "UPSTREAM_UNAVAILABLE"
    ko = "{service} 서비스가 응답하지 않습니다. 잠시 후 다시 시도하세요."
    en = "The {service} service is not answering. Please try again later."


def catalogue() -> list[dict[str, Any]]:
    """Every problem this process can answer with, by code: status and both texts (templates)."""
    known: dict[str, type[Problem]] = {}
    waiting: list[type[Problem]] = [Problem]
    while waiting:
        problem = waiting.pop()
        known.setdefault(problem.code, problem)
        waiting += problem.__subclasses__()
    return [
        {"code": code, "status": problem.status, "ko": problem.ko, "en": problem.en}
        for code, problem in sorted(known.items())
    ]
