"""What the platform answers, as values. Fields it may add later are left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx2

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong (or, as a warning, doubtful) in one place, and how to mend it."""

    code: str
    message: str
    is_error: bool
    row: int | None
    field: str | None
    value: str | None
    suggestion: str | None

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Self:
        return cls(
            code=item["code"],
            message=item["message"],
            is_error=item.get("level", "error") == "error",
            row=item.get("row"),
            field=item.get("field"),
            value=(item.get("params") or {}).get("value"),
            suggestion=item.get("suggestion"),
        )

    def __str__(self) -> str:
        place = ", ".join(str(one) for one in (self.row, self.field) if one is not None)
        return f"{place + ': ' if place else ''}{self.code} {self.message}"


@dataclass(frozen=True, slots=True)
class Application:
    """An application made of a batch; `findings` say why it was not submitted.

    `outcome` is `draft`, `submitted` or `refused`; `state` where it stands today.
    """

    id: str
    outcome: str
    number: str | None
    state: str | None
    row_count: int | None
    mileage: int | None
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Self:
        known = ("outcome", "number", "state", "row_count", "mileage")
        return cls(
            id=item["application_id"],
            findings=tuple(map(Finding.of, item["findings"])),
            **{name: item[name] for name in known},
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """A push on its way: `done` of `total` rows are judged; `applications` once it is followed."""

    id: str
    external_id: str
    state: str
    total: int
    done: int
    accepted: int
    unchanged: int
    rejected: int
    applications: tuple[Application, ...]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Self:
        counts = ("total", "done", "accepted", "unchanged", "rejected")
        return cls(
            id=item["id"],
            external_id=item["external_id"],
            state=item["state"],
            applications=tuple(map(Application.of, item.get("applications", ()))),
            **{name: item[name] for name in counts},
        )

    @property
    def is_finished(self) -> bool:
        return self.state == "finished"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row: `accepted`, `unchanged`, `rejected` or `superseded`."""

    line: int
    external_id: str | None
    status: str
    application_id: str | None
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> Self:
        known = ("line", "external_id", "status", "application_id")
        return cls(
            findings=tuple(map(Finding.of, item["findings"])),
            **{name: item[name] for name in known},
        )


class PartnerError(Exception):
    """The platform refused; `code` is stable, and `findings` say everything that is wrong."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        *,
        findings: tuple[Finding, ...] = (),
        trace_id: str | None = None,
    ) -> None:
        told = [f"{status} {code}: {title}", *map(str, findings[:SHOWN])]
        if len(findings) > SHOWN:
            told.append(f"… and {len(findings) - SHOWN} more in .findings")
        super().__init__("\n  ".join(told))
        self.status = status
        self.code = code
        self.title = title
        self.findings = findings
        self.trace_id = trace_id

    @classmethod
    def of(cls, answer: httpx2.Response) -> Self:
        try:
            problem = answer.json()
            return cls(
                answer.status_code,
                problem["code"],
                problem["title"],
                findings=tuple(map(Finding.of, problem.get("errors", ()))),
                trace_id=problem.get("trace_id"),
            )
        except (ValueError, KeyError, TypeError):  # something on the way answered in its stead
            return cls(answer.status_code, f"HTTP_{answer.status_code}", answer.reason_phrase)


class Unreachable(Exception):  # noqa: N818  # the cause is an error, this is what it means
    """No answer, however often we asked. Asking again later, with the same ids, does no harm."""
