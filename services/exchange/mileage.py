"""What mileage is worth on the exchange (M-041). Pure, whole points and whole won."""

from services.exchange import errors
from shared.problems import Finding

WON_PER_POINT = 1_000


def mileage_cap(fee_won: int) -> int:
    """The most points a fee takes: ⌊fee × 3/10 / 1,000⌋ (M-041). 2,500,000 → 750; 3,333 → 0."""
    return fee_won * 3 // (10 * WON_PER_POINT)


def usable(*, available: int, fee_won: int, requested: int) -> int:
    """M-041: the least of what is there, what the cap allows and what was asked for."""
    return max(0, min(available, mileage_cap(fee_won), requested))


def cash_won(fee_won: int, mileage: int) -> int:
    """What of a VAT-inclusive fee is left to pay in cash."""
    return fee_won - mileage * WON_PER_POINT


def check_mileage(*, requested: int, fee_won: int, available: int | None) -> list[Finding]:
    """Findings about the points asked for; `available` None: unknown, the ledger will decide."""
    cap = mileage_cap(fee_won)
    found = []
    if requested > cap:
        found.append(errors.DISCOUNT_CAP.at("/mileage", field="mileage", maximum=cap))
    if available is not None and requested > available:
        found.append(insufficient(available=available, fee_won=fee_won))
    return found


def insufficient(*, available: int, fee_won: int) -> Finding:
    available = max(0, available)
    maximum = min(available, mileage_cap(fee_won))
    return errors.INSUFFICIENT.at("/mileage", field="mileage", available=available, maximum=maximum)
