"""A ledger at the network edge, faithful to the contract of the accrual service's: by id, whole
points, holds that are posted or voided once, a tombstone for a void that comes before its hold."""

from collections import defaultdict
from typing import Any
from uuid import UUID

import httpx2


class FakeLedger:
    """Answers the ledger's internal routes. `available(institution)` is the invariant's view."""

    def __init__(self) -> None:
        self.balance: dict[str, int] = defaultdict(int)
        self.transfers: dict[str, dict[str, Any]] = {}
        self.tombstones: set[str] = set()

    def give(self, institution: UUID, amount: int) -> None:
        self.balance[str(institution)] += amount

    def held(self, institution: UUID | str) -> int:
        return sum(
            hold["amount"]
            for hold in self.transfers.values()
            if hold["state"] == "pending" and hold["institution_id"] == str(institution)
        )

    def available(self, institution: UUID | str) -> int:
        return self.balance[str(institution)] - self.held(institution)

    def answer(self, method: str, path: str, body: dict[str, Any] | None) -> httpx2.Response:
        match [method, *path.removeprefix("/internal/ledger/").split("/")]:
            case ["POST", "holds"]:
                assert body is not None
                return self._hold(body)
            case ["POST", "holds", hold_id, "post"]:
                assert body is not None
                return self._post(hold_id, body)
            case ["POST", "holds", hold_id, "void"]:
                assert body is not None
                return self._void(hold_id, body)
            case ["POST", "reversals"]:
                assert body is not None
                return self._reverse(body)
            case ["GET", "transfers", transfer_id]:
                found = self.transfers.get(transfer_id)
                return _ok(found) if found else _refuse(404, "NOT_FOUND")
            case ["GET", "accounts", institution]:
                return _ok(
                    {
                        "institution_id": institution,
                        "balance": self.balance[institution],
                        "held": self.held(institution),
                        "available": self.available(institution),
                    }
                )
        return _refuse(404, "NOT_FOUND")

    def _seen(self, body: dict[str, Any]) -> httpx2.Response | None:
        known = self.transfers.get(body["id"])
        if known is None:
            return None
        return _ok(known) if known["request"] == body else _refuse(409, "TRANSFER_CONFLICT")

    def _hold(self, body: dict[str, Any]) -> httpx2.Response:
        if body["id"] in self.tombstones:
            return _refuse(409, "HOLD_VOIDED")
        if seen := self._seen(body):
            return seen
        available = self.available(body["institution_id"])
        if body["amount"] > available:
            return _refuse(422, "INSUFFICIENT", available=available)
        return self._write(body, kind="hold", state="pending", **_parties(body))

    def _post(self, hold_id: str, body: dict[str, Any]) -> httpx2.Response:
        body = body | {"hold": hold_id}
        if seen := self._seen(body):
            return seen
        hold = self.transfers.get(hold_id)
        if hold is None:
            return _refuse(404, "NOT_FOUND")
        if hold["state"] != "pending" or body["amount"] > hold["amount"]:
            return _refuse(409, "TRANSFER_CONFLICT")
        hold["state"] = "posted"
        self._move(hold["institution_id"], hold["to_institution_id"], body["amount"])
        return self._write(body, kind="post", state="posted", **_parties(hold))

    def _void(self, hold_id: str, body: dict[str, Any]) -> httpx2.Response:
        body = body | {"hold": hold_id}
        if seen := self._seen(body):
            return seen
        hold = self.transfers.get(hold_id)
        if hold is None:
            self.tombstones.add(hold_id)
            return self._write(body, kind="void", state="posted", amount=0)
        if hold["state"] != "pending":
            return _refuse(409, "TRANSFER_CONFLICT")
        hold["state"] = "voided"
        return self._write(body, kind="void", state="posted", amount=hold["amount"])

    def _reverse(self, body: dict[str, Any]) -> httpx2.Response:
        if seen := self._seen(body):
            return seen
        post = self.transfers.get(body["transfer_id"])
        if post is None:
            return _refuse(404, "NOT_FOUND")
        available = self.available(post["to_institution_id"])
        if body["amount"] > available:
            return _refuse(422, "INSUFFICIENT", available=available)
        self._move(post["to_institution_id"], post["institution_id"], body["amount"])
        return self._write(body, kind="reversal", state="posted")

    def _move(self, giver: str, taker: str, amount: int) -> None:
        self.balance[giver] -= amount
        self.balance[taker] += amount

    def _write(self, body: dict[str, Any], **values: Any) -> httpx2.Response:
        self.transfers[body["id"]] = {**body, **values, "request": body}
        return _ok(self.transfers[body["id"]])


def _parties(row: dict[str, Any]) -> dict[str, str]:
    return {key: row[key] for key in ("institution_id", "to_institution_id")}


def _ok(body: Any) -> httpx2.Response:
    return httpx2.Response(200, json=body)


def _refuse(status: int, code: str, **params: Any) -> httpx2.Response:
    return httpx2.Response(status, json={"code": code, "status": status, "params": params})
