"""Calls of the accrual service: to auth for institutions, to grants for programmes' bonus rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from services.accrual.utilisations.errors import ProgrammeNotFound
from services.accrual.utilisations.rules import BonusRule, Certificate, Programme
from shared.http import Identity, RemoteProblem, ServiceClient
from shared.problems import NotFound

BATCH = 500
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Company:
    """A company as the registry knows it; `name` is the registered one (M-008), `closed_on` the
    day it was closed (폐업)."""

    brn: str
    institution_id: UUID
    name: str
    status: str
    closed_on: date | None


@dataclass(frozen=True, slots=True)
class Institution:
    """`brn` is null for an institution the registry knows without one, such as a university."""

    institution_id: UUID
    kind: str
    name: str
    status: str
    brn: str | None


class Registry:
    """Companies by business number, institutions by id. Raises `UpstreamUnavailable`.

    Never call it while holding a row lock.
    """

    def __init__(self, identity: Identity, auth_url: str) -> None:
        self._auth = ServiceClient(identity, "auth", auth_url, scope="institutions:resolve")

    async def companies(
        self, names: Mapping[str, str], *, create: bool = False
    ) -> dict[str, Company]:
        """The companies with these numbers. Unknown ones are left out, or created by the name
        the applicant gave. Repeatable: a number is created once."""
        found = {}
        for batch in _batches(list(names.items())):
            answer = await self._auth.post(
                "/internal/institutions/resolve",
                {
                    "companies": [{"brn": brn, "name": name} for brn, name in batch],
                    "create": create,
                },
                repeatable=True,
            )
            for item in answer["items"]:
                closed = item["closed_on"]
                found[item["brn"]] = Company(
                    item["brn"],
                    UUID(item["institution_id"]),
                    item["name"],
                    item["status"],
                    None if closed is None else date.fromisoformat(closed),
                )
        return found

    async def institutions(self, ids: Sequence[UUID]) -> dict[UUID, Institution]:
        found = {}
        for batch in _batches(ids):
            answer = await self._auth.post(
                "/internal/institutions/lookup",
                {"ids": [str(one) for one in batch]},
                repeatable=True,
            )
            for item in answer["items"]:
                one = Institution(
                    UUID(item["institution_id"]),
                    item["kind"],
                    item["name"],
                    item["status"],
                    item["brn"],
                )
                found[one.institution_id] = one
        return found

    async def institution(self, institution_id: UUID) -> Institution:
        """Raises `NotFound` for one the registry does not know, too."""
        found = await self.institutions([institution_id])
        if institution_id not in found:
            raise NotFound
        return found[institution_id]


class Programmes:
    """What mileage buys in programmes, which the grants service owns."""

    def __init__(self, identity: Identity, grants_url: str) -> None:
        self._grants = ServiceClient(identity, "grants", grants_url, scope="grants:read")

    async def programme(self, programme_id: UUID) -> Programme:
        """Raises `ProgrammeNotFound`, `UpstreamUnavailable`."""
        try:
            found = await self._grants.get(f"/internal/programmes/{programme_id}/bonus-rule")
        except RemoteProblem as problem:
            if problem.status == 404:
                raise ProgrammeNotFound from problem
            raise
        rule = found["bonus_rule"]
        return Programme(
            name=found["name"],
            agency_id=UUID(found["agency_id"]),
            opens_at=datetime.fromisoformat(found["opens_at"]),
            closes_at=datetime.fromisoformat(found["closes_at"]),
            published=found["published"],
            rule=None if rule is None else BonusRule.of(rule),
        )

    async def certificate(self, institution_id: UUID, on: date) -> Certificate | None:
        """By what an institution is certified as excellent on a day, or None (M-061). Raises
        `UpstreamUnavailable`: no answer is not a no."""
        found = await self._grants.get(
            f"/internal/institutions/{institution_id}/certification", params={"on": on.isoformat()}
        )
        if not found["certified"]:
            return None
        return Certificate(found["number"], date.fromisoformat(found["valid_until"]))


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
