"""Calls to the accrual service's ledger and to the auth service's registry of institutions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.http import Identity, RemoteProblem, ServiceClient

MAX_REASON = 500  # what the ledger keeps of one


class HoldRefused(Exception):  # noqa: N818  # an answer, not an error
    """The ledger will never place this hold. `available` when it told how much there is."""

    def __init__(self, code: str, available: int | None) -> None:
        super().__init__(code)
        self.code = code
        self.available = available


class ReversalRefused(Exception):  # noqa: N818
    """The ledger will not reverse: the receiver has spent the points, or they are back already."""

    def __init__(self, code: str, available: int | None) -> None:
        super().__init__(code)
        self.code = code
        self.available = available


@dataclass(frozen=True, slots=True)
class Balance:
    balance: int
    held: int
    available: int


class Ledger:
    """The ledger by the ids we give: every call may be repeated and acts once.

    `acting_for` is the account that wanted it; the auth service signs it into our token.
    Raises `UpstreamUnavailable` when there is no answer, and `RemoteProblem` for an answer that
    should never come; both leave the promise open, to be tried again.
    """

    def __init__(self, identity: Identity, accrual_url: str) -> None:
        self._http = ServiceClient(identity, "accrual", accrual_url, scope="ledger:transfer")

    async def hold(
        self,
        hold_id: UUID,
        *,
        buyer_id: UUID,
        seller_id: UUID,
        amount: int,
        reference: str,
        title: str,
        acting_for: str | None = None,
    ) -> None:
        """Reserve points of the buyer for the seller. Raises `HoldRefused`.

        Without an expiry of the ledger's own: two clocks that each end a hold would let the same
        points be spent again after the seller accepted. Our sweep voids what lapses.
        """
        body = {
            "id": str(hold_id),
            "institution_id": str(buyer_id),
            "to_institution_id": str(seller_id),
            "amount": amount,
            "kind": "exchange",
            "reference": reference,
            "title": title,
            "origin_id": str(seller_id),
            "expires_at": None,
        }
        try:
            await self._http.post(
                "/internal/ledger/holds", body, repeatable=True, acting_for=acting_for
            )
        except RemoteProblem as refusal:
            if refusal.code in {"INSUFFICIENT", "HOLD_VOIDED"}:
                raise HoldRefused(refusal.code, _available(refusal)) from None
            raise

    async def post(
        self, post_id: UUID, *, hold_id: UUID, amount: int, acting_for: str | None = None
    ) -> None:
        """Give `amount` of the hold to the seller; the ledger releases the rest."""
        await self._http.post(
            f"/internal/ledger/holds/{hold_id}/post",
            {"id": str(post_id), "amount": amount},
            repeatable=True,
            acting_for=acting_for,
        )

    async def void(self, void_id: UUID, *, hold_id: UUID, acting_for: str | None = None) -> None:
        """Release the hold, and refuse it for ever should it still be on its way."""
        await self._http.post(
            f"/internal/ledger/holds/{hold_id}/void",
            {"id": str(void_id)},
            repeatable=True,
            acting_for=acting_for,
        )

    async def reverse(
        self,
        reversal_id: UUID,
        *,
        transfer_id: UUID,
        amount: int,
        reason: str,
        acting_for: str | None = None,
    ) -> None:
        """Move points of a posted transfer back to the buyer. Raises `ReversalRefused`."""
        body = {
            "id": str(reversal_id),
            "transfer_id": str(transfer_id),
            "amount": amount,
            "reason": reason[:MAX_REASON],
        }
        try:
            await self._http.post(
                "/internal/ledger/reversals", body, repeatable=True, acting_for=acting_for
            )
        except RemoteProblem as refusal:
            if refusal.code in {"INSUFFICIENT", "REVERSED_ALREADY"}:
                raise ReversalRefused(refusal.code, _available(refusal)) from None
            raise

    async def transfer(self, transfer_id: UUID) -> dict[str, Any] | None:
        """A transfer as the ledger has it; None when it knows none of this id."""
        try:
            found: dict[str, Any] = await self._http.get(
                f"/internal/ledger/transfers/{transfer_id}"
            )
        except RemoteProblem as refusal:
            if refusal.status == 404:
                return None
            raise
        return found

    async def balance(self, institution_id: UUID) -> Balance:
        """An institution's points; all zero for one the ledger has never met."""
        try:
            found = await self._http.get(f"/internal/ledger/accounts/{institution_id}")
        except RemoteProblem as refusal:
            if refusal.status == 404:
                return Balance(0, 0, 0)
            raise
        return Balance(found["balance"], found["held"], found["available"])


@dataclass(frozen=True, slots=True)
class InstitutionRecord:
    id: UUID
    kind: str
    name: str
    brn: str | None


class Directory:
    """The registry of institutions, which the auth service keeps."""

    def __init__(self, identity: Identity, auth_url: str) -> None:
        self._http = ServiceClient(identity, "auth", auth_url, scope="institutions:resolve")

    async def lookup(self, ids: Sequence[UUID]) -> list[InstitutionRecord]:
        answer = await self._http.post(
            "/internal/institutions/lookup", {"ids": [str(one) for one in ids]}, repeatable=True
        )
        return [
            InstitutionRecord(
                UUID(item["institution_id"]), item["kind"], item["name"], item.get("brn")
            )
            for item in answer["items"]
        ]


def _available(refusal: RemoteProblem) -> int | None:
    """How much there is, wherever the refusal says it."""
    places = [refusal.body, *(refusal.body.get("errors") or [])]
    for place in places:
        available = (place.get("params") or {}).get("available")
        if isinstance(available, int):
            return available
    return None
