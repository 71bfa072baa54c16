"""Calls to other services: the registry of institutions, and who else claims a document."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

from services.grants.letters import Words
from shared.http import Identity, ServiceClient
from shared.problems import NotFound


@dataclass(frozen=True, slots=True)
class InstitutionRecord:
    """What auth knows of an institution; `capital_area` is the head office's."""

    id: UUID
    kind: str
    name: str
    brn: str | None
    capital_area: bool | None


class Directory:
    def __init__(self, identity: Identity, auth_url: str) -> None:
        self._http = ServiceClient(identity, "auth", auth_url, scope="institutions:resolve")

    async def institution(self, institution_id: UUID) -> InstitutionRecord:
        """Raises `NotFound` for one nobody knows, `UpstreamUnavailable` without an answer."""
        return (await self.institutions([institution_id]))[institution_id]

    async def institutions(self, ids: Collection[UUID]) -> dict[UUID, InstitutionRecord]:
        """All of these in one call. Raises `NotFound` where nobody knows one of them."""
        if not ids:
            return {}
        answer = await self._http.post(
            "/internal/institutions/lookup", {"ids": [str(one) for one in ids]}, repeatable=True
        )
        found = {
            UUID(item["institution_id"]): InstitutionRecord(
                id=UUID(item["institution_id"]),
                kind=item["kind"],
                name=item["name"],
                brn=item["brn"],
                capital_area=item["capital_area"],
            )
            for item in answer["items"]
        }
        if not found.keys() >= set(ids):
            raise NotFound
        return found


class Mail:
    """The auth service as the one that knows people's addresses."""

    def __init__(self, identity: Identity, auth_url: str) -> None:
        self._http = ServiceClient(identity, "auth", auth_url, scope="letters:send")

    async def send(
        self, letter_id: UUID, institution_id: UUID, account_ids: Sequence[UUID], words: Words
    ) -> None:
        """Hand in a letter; the same again under its id changes nothing. Raises
        `UpstreamUnavailable` or `RemoteProblem`."""
        body = {
            "id": str(letter_id),
            "institution_id": str(institution_id),
            "account_ids": [str(one) for one in account_ids],
            **asdict(words),
        }
        await self._http.post("/internal/letters", body, repeatable=True)


class Counterpart:
    """Another service in which the same deposit or document may serve a claim (C-4)."""

    BATCH = 500

    def __init__(self, identity: Identity, service: str, url: str, *, scope: str) -> None:
        self.service = service
        self._http = ServiceClient(identity, service, url, scope=scope)

    async def claims(self, marks: Sequence[str]) -> dict[str, str]:
        """The marks (deposit references, document numbers, SHA-256) that serve a claim there, with
        words on where. Raises `UpstreamUnavailable` or `RemoteProblem`."""
        found: dict[str, str] = {}
        for start in range(0, len(marks), self.BATCH):
            batch = list(marks[start : start + self.BATCH])
            answer = await self._http.post(
                "/internal/evidence-claims", {"marks": batch}, repeatable=True
            )
            found |= {item["mark"]: item["where"] for item in answer["items"]}
        return found


@dataclass(frozen=True, slots=True)
class PostedMileage:
    """What an institution had earned by the end of a day, spent or not, and in which fields."""

    institution_id: UUID
    on: date
    points: int
    by_field: Mapping[str, int]


class Mileage:
    """The ledger of the accrual service, as far as a certification asks (M-061)."""

    def __init__(self, identity: Identity, accrual_url: str) -> None:
        self._http = ServiceClient(identity, "accrual", accrual_url, scope="accrual:read")

    async def posted(self, institution_id: UUID, on: date) -> PostedMileage:
        """Raises `UpstreamUnavailable` without an answer: nobody is judged by a guess."""
        answer = await self._http.get(
            f"/internal/institutions/{institution_id}/posted-mileage",
            params={"on": on.isoformat()},
        )
        return PostedMileage(institution_id, on, answer["points"], answer["by_field"])
