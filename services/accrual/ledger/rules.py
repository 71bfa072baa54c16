"""The ledger's words and its small decisions, without clock or database.

A *transfer* moves points from one account (debited) to another (credited). An account is an
institution's, with the institution's id, or one of the three system accounts. A *hold* is a
pending transfer: it reserves points until it is posted, voided or expires, each a new transfer that
points at it. *Available* is what can be spent: the balance less the holds, never below zero.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from services.accrual.ledger import errors
from shared.problems import Finding

ISSUANCE: Final = UUID(int=1)
"""Where accrued points come from; its balance is minus all points in the world."""
REDEMPTION: Final = UUID(int=2)
"""Where points go that bought a bonus in a programme (M-050)."""
EXPIRY: Final = UUID(int=3)
"""Where expired points go (M-021)."""
LAST_SYSTEM_ACCOUNT: Final = UUID(int=255)

MAX_BATCH: Final = 1_000
MAX_AMOUNT: Final = 10**12


class State(StrEnum):
    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class Kind(StrEnum):
    """Why points move. Other services may give kinds of their own to what they hold."""

    ACCRUAL = "accrual"
    EXCHANGE = "exchange"
    UTILISATION = "utilisation"
    ADJUSTMENT = "adjustment"
    EXPIRY = "expiry"
    MIGRATION = "migration"
    REVERSAL = "reversal"
    REVOCATION = "revocation"  # the one kind that may overdraw an account (M-051)
    TOMBSTONE = "tombstone"  # a hold that was voided before it arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransfer:
    """A transfer as its maker wants it. The id is the maker's, chosen before the first attempt.

    `field` is the accrual field the points were earned in, by which certificates break balances
    down (M-052); `title` is what statements show as 사업명, `origin_id` the institution whose
    application or sale it came from (적립기관, M-040). `effective_at` None: when it is recorded.
    """

    id: UUID
    debit_account: UUID | None
    credit_account: UUID | None
    amount: int | None
    kind: str
    state: State = State.POSTED
    pending_id: UUID | None = None
    reverses_id: UUID | None = None
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    field: str | None = None
    title: str | None = None
    reference: str | None = None
    origin_id: UUID | None = None
    metadata: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class NewReversal:
    """Move points of `transfer_id` back: `amount` of them, or all."""

    id: UUID
    transfer_id: UUID
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Whole points. `balance` may be negative after a revocation; `available` never is (M-051)."""

    available: int
    held: int
    debt: int

    @property
    def balance(self) -> int:
        return self.available + self.held - self.debt


@dataclass(frozen=True, slots=True)
class Lot:
    """Points an account received on a Korean day."""

    day: date
    points: int


def left_of(received: Sequence[Lot], spent: int) -> list[Lot]:
    """What is left of lots, given the oldest first, when as much went out: the oldest go first."""
    left = []
    for lot in received:
        taken = min(lot.points, spent)
        spent -= taken
        if lot.points > taken:
            left.append(Lot(lot.day, lot.points - taken))
    return left


def last_day(received: date, years: int) -> date:
    """The last day on which points can be used. Counted as every period is: from the day after
    (민법 157, 160), so points of 28 February 2023 last until 29 February 2024."""
    first = received + timedelta(days=1)
    try:
        return first.replace(year=first.year + years) - timedelta(days=1)
    except ValueError:  # no 29 February in that year: its month ends with the 28th
        return date(first.year + years, 2, 28)


def is_system(account: UUID) -> bool:
    return account <= LAST_SYSTEM_ACCOUNT


def is_plain(transfer: NewTransfer) -> bool:
    """Whether it moves points at once and has to do with no other transfer."""
    return (
        transfer.state is State.POSTED
        and transfer.kind != Kind.REVOCATION
        and transfer.pending_id is None
        and transfer.reverses_id is None
        and transfer.expires_at is None
        and None not in (transfer.debit_account, transfer.credit_account, transfer.amount)
    )


def findings_of(transfers: Sequence[NewTransfer], *, now: datetime) -> Iterator[Finding]:
    """Everything that is wrong with these transfers, whatever the accounts hold."""
    for index, transfer in enumerate(transfers):
        at = f"/{index}"
        if transfer.amount is not None and not 0 < transfer.amount <= MAX_AMOUNT:
            yield errors.AMOUNT_NOT_POSITIVE.at(f"{at}/amount", field="amount")
        if transfer.debit_account is not None and transfer.debit_account == transfer.credit_account:
            yield errors.SAME_ACCOUNT.at(f"{at}/to_institution_id", field="to_institution_id")
        if transfer.effective_at is not None and transfer.effective_at > now:
            yield errors.EFFECTIVE_IN_FUTURE.at(f"{at}/effective_at", field="effective_at")
