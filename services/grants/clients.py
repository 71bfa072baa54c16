"""Calls to the auth service's registry of institutions."""

from dataclasses import dataclass
from uuid import UUID

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
        answer = await self._http.post(
            "/internal/institutions/lookup", {"ids": [str(institution_id)]}, repeatable=True
        )
        if not answer["items"]:
            raise NotFound
        item = answer["items"][0]
        return InstitutionRecord(
            id=UUID(item["institution_id"]),
            kind=item["kind"],
            name=item["name"],
            brn=item["brn"],
            capital_area=item["capital_area"],
        )
