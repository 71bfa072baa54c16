"""What an order costs in points and won, and the table of its moves: pure decisions (M-041…M-043).

An order stands on two axes. *Use* says what happens in the laboratory, *settlement* what happens
to the mileage. The settlement states ending in -ing are promises already written down: the driver
(`driver.py`) carries them out against the ledger, however often it has to ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.exchange import errors
from services.exchange.mileage import cash_won, mileage_cap
from services.exchange.parties import Party
from shared.problems import PermissionDenied

LAPSE_DIRECT_DAYS = 14  # an accepted slot nobody started is given up this long after its end
LAPSE_COMMISSIONED_DAYS = 180  # and commissioned work nobody began, this long after acceptance


@dataclass(frozen=True, slots=True)
class Charge:
    """What an order comes to in the end."""

    fee_won: int
    mileage: int
    cash_won: int


def charge(*, fee_won: int, mileage: int) -> Charge:
    """A final fee at or below the agreed one keeps as much of the mileage as its own cap allows;
    the rest of the hold goes back to the buyer (M-041, M-042)."""
    kept = min(mileage, mileage_cap(fee_won))
    return Charge(fee_won, kept, cash_won(fee_won, kept))


def percent_of(fee_won: int, percent: int) -> int:
    return fee_won * percent // 100


def supply_and_vat(paid_won: int) -> tuple[int, int]:
    """A VAT-inclusive amount as supply price and VAT (one eleventh, rounded down)."""
    vat = paid_won // 11
    return paid_won - vat, vat


class Use(StrEnum):
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    IN_USE = "in_use"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"
    REFUSED = "refused"  # the ledger would not hold the mileage: never more than an attempt


class Settlement(StrEnum):
    HOLDING = "holding"
    HELD = "held"
    POSTING = "posting"
    SETTLED = "settled"
    VOIDING = "voiding"
    RELEASED = "released"
    DISPUTED = "disputed"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class Action(StrEnum):
    REQUEST = "request"
    HOLD = "hold"
    REFUSE = "refuse"
    ACCEPT = "accept"
    DECLINE = "decline"
    CANCEL = "cancel"
    CANCEL_LATE = "cancel_late"
    CALL_OFF = "call_off"
    EXPIRE = "expire"
    START = "start"
    NO_SHOW = "no_show"
    WAIVE_NO_SHOW = "waive_no_show"
    ADJUST = "adjust"
    CONSENT = "consent"
    REJECT_ADJUSTMENT = "reject_adjustment"
    COMPLETE = "complete"
    COMPLETE_UNUSED = "complete_unused"
    RECORD_PAYMENT = "record_payment"
    SETTLE = "settle"
    POST = "post"
    RELEASE = "release"
    DISPUTE = "dispute"
    WITHDRAW_DISPUTE = "withdraw_dispute"
    RESOLVE = "resolve"
    RESOLVE_FREE = "resolve_free"
    REFUND = "refund"
    REFUND_PART = "refund_part"
    REFUND_ALL = "refund_all"
    REFUND_REFUSED = "refund_refused"


@dataclass(frozen=True, slots=True)
class Move:
    """Who may do it, from where, and where it leads (None: that axis stays)."""

    by: frozenset[Party]
    uses: frozenset[Use]
    settlements: frozenset[Settlement]
    use: Use | None = None
    settlement: Settlement | None = None


BUYER, SELLER, OPERATOR, SYSTEM = (frozenset({party}) for party in Party)
# Written down, and not yet answered by the ledger.
PROMISED = frozenset(
    {Settlement.HOLDING, Settlement.POSTING, Settlement.VOIDING, Settlement.REFUNDING}
)
LIVE = frozenset({Use.REQUESTED, Use.ACCEPTED, Use.IN_USE})  # these keep their slot
CHARGED = frozenset({Use.COMPLETED, Use.CANCELLED, Use.NO_SHOW})
_REQUESTED = frozenset({Use.REQUESTED})
_ACCEPTED = frozenset({Use.ACCEPTED})
_IN_USE = frozenset({Use.IN_USE})
_HELD = frozenset({Settlement.HELD})
_OPEN = frozenset({Settlement.HOLDING, Settlement.HELD})
_DISPUTED = frozenset({Settlement.DISPUTED})
_REFUNDING = frozenset({Settlement.REFUNDING})
_EVERY_USE = frozenset(Use)

MOVES: Mapping[Action, Move] = {
    Action.HOLD: Move(
        SYSTEM, _REQUESTED, frozenset({Settlement.HOLDING}), settlement=Settlement.HELD
    ),
    Action.REFUSE: Move(
        SYSTEM,
        _REQUESTED,
        frozenset({Settlement.HOLDING}),
        use=Use.REFUSED,
        settlement=Settlement.RELEASED,
    ),
    Action.ACCEPT: Move(SELLER, _REQUESTED, _HELD, use=Use.ACCEPTED),
    Action.DECLINE: Move(
        SELLER, _REQUESTED, _OPEN, use=Use.DECLINED, settlement=Settlement.VOIDING
    ),
    Action.CANCEL: Move(
        BUYER, _REQUESTED | _ACCEPTED, _OPEN, use=Use.CANCELLED, settlement=Settlement.VOIDING
    ),
    Action.CANCEL_LATE: Move(BUYER, _ACCEPTED, _HELD, use=Use.CANCELLED),
    Action.CALL_OFF: Move(
        SELLER | OPERATOR, _ACCEPTED, _HELD, use=Use.CANCELLED, settlement=Settlement.VOIDING
    ),
    Action.EXPIRE: Move(
        SYSTEM, _REQUESTED | _ACCEPTED, _OPEN, use=Use.EXPIRED, settlement=Settlement.VOIDING
    ),
    Action.START: Move(SELLER, _ACCEPTED, _HELD, use=Use.IN_USE),
    Action.NO_SHOW: Move(SELLER, _ACCEPTED, _HELD, use=Use.NO_SHOW),
    Action.WAIVE_NO_SHOW: Move(
        SELLER, _ACCEPTED, _HELD, use=Use.NO_SHOW, settlement=Settlement.VOIDING
    ),
    Action.ADJUST: Move(SELLER, _IN_USE, _HELD),
    Action.CONSENT: Move(BUYER, _IN_USE, _HELD),
    Action.REJECT_ADJUSTMENT: Move(BUYER, _IN_USE, _HELD),
    Action.COMPLETE: Move(SELLER | OPERATOR, _IN_USE, _HELD, use=Use.COMPLETED),
    Action.COMPLETE_UNUSED: Move(
        SELLER | OPERATOR, _IN_USE, _HELD, use=Use.COMPLETED, settlement=Settlement.VOIDING
    ),
    # Also after a release: cash paid ahead of an order that came to nothing is to be returned.
    Action.RECORD_PAYMENT: Move(
        SELLER,
        CHARGED | _ACCEPTED | _IN_USE | frozenset({Use.EXPIRED}),
        _HELD | frozenset({Settlement.VOIDING, Settlement.RELEASED}),
    ),
    Action.SETTLE: Move(SELLER | SYSTEM, CHARGED, _HELD, settlement=Settlement.POSTING),
    Action.POST: Move(
        SYSTEM, CHARGED, frozenset({Settlement.POSTING}), settlement=Settlement.SETTLED
    ),
    Action.RELEASE: Move(
        SYSTEM, _EVERY_USE, frozenset({Settlement.VOIDING}), settlement=Settlement.RELEASED
    ),
    # The operator too, who may have learned of something wrong from elsewhere.
    Action.DISPUTE: Move(BUYER | SELLER | OPERATOR, CHARGED, _HELD, settlement=Settlement.DISPUTED),
    Action.WITHDRAW_DISPUTE: Move(
        BUYER | SELLER | OPERATOR, CHARGED, _DISPUTED, settlement=Settlement.HELD
    ),
    Action.RESOLVE: Move(OPERATOR, CHARGED, _DISPUTED, settlement=Settlement.HELD),
    Action.RESOLVE_FREE: Move(OPERATOR, CHARGED, _DISPUTED, settlement=Settlement.VOIDING),
    Action.REFUND: Move(
        SELLER | OPERATOR,
        CHARGED,
        frozenset({Settlement.SETTLED}),
        settlement=Settlement.REFUNDING,
    ),
    Action.REFUND_PART: Move(SYSTEM, CHARGED, _REFUNDING, settlement=Settlement.SETTLED),
    Action.REFUND_ALL: Move(SYSTEM, CHARGED, _REFUNDING, settlement=Settlement.REFUNDED),
    Action.REFUND_REFUSED: Move(SYSTEM, CHARGED, _REFUNDING, settlement=Settlement.SETTLED),
}


def move(action: Action, *, by: Party, use: Use, settlement: Settlement) -> tuple[Use, Settlement]:
    """The states after an action. Raises `PermissionDenied` (403) for the wrong party and
    `OrderState` (409) from a state that does not allow it."""
    rule = MOVES[action]
    if by not in rule.by:
        raise PermissionDenied
    if use not in rule.uses or settlement not in rule.settlements:
        raise errors.OrderState(use=use, settlement=settlement, action=action)
    return rule.use or use, rule.settlement or settlement


_VARIANTS = {  # which of two the service takes depends on the fee, so a screen offers one button
    Action.CANCEL_LATE: Action.CANCEL,
    Action.WAIVE_NO_SHOW: Action.NO_SHOW,
    Action.COMPLETE_UNUSED: Action.COMPLETE,
    Action.RESOLVE_FREE: Action.RESOLVE,
}


def allowed(*, by: Party, use: Use, settlement: Settlement) -> list[str]:
    """The actions a party could take now, for screens; the moves still decide."""
    possible = {
        str(_VARIANTS.get(action, action))
        for action, rule in MOVES.items()
        if by in rule.by and use in rule.uses and settlement in rule.settlements
    }
    return sorted(possible)


def answer_due(*, now: datetime, answer_within_hours: int, starts_at: datetime | None) -> datetime:
    """Until when a request waits for the seller: never past the start of the use itself."""
    due = now + timedelta(hours=answer_within_hours)
    return due if starts_at is None else min(due, starts_at)


def start_due(*, now: datetime, ends_at: datetime | None) -> datetime:
    """Until when an accepted order may still be started before it is given up."""
    if ends_at is None:
        return now + timedelta(days=LAPSE_COMMISSIONED_DAYS)
    return ends_at + timedelta(days=LAPSE_DIRECT_DAYS)


def free_cancel_until(*, starts_at: datetime | None, free_cancel_hours: int) -> datetime | None:
    """The last instant an accepted order is cancelled free of charge (None: until it starts)."""
    return None if starts_at is None else starts_at - timedelta(hours=free_cancel_hours)


def late_charge(
    *, now: datetime, fee_won: int, free_until: datetime | None, late_fee_percent: int
) -> int:
    """What a buyer owes who cancels an accepted order now, in won."""
    if free_until is None or now <= free_until:
        return 0
    return percent_of(fee_won, late_fee_percent)
