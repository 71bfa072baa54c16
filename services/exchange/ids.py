"""Ids the caller makes before anyone else hears of the thing: UUID version 7, time first."""

import secrets
import time
from datetime import datetime
from uuid import UUID


def new_id() -> UUID:
    """48 bits of milliseconds, then version, variant and 74 random bits (RFC 9562)."""
    milliseconds = time.time_ns() // 1_000_000
    high = (milliseconds << 16) | 0x7000 | secrets.randbits(12)
    low = (0b10 << 62) | secrets.randbits(62)
    return UUID(int=(high << 64) | low)


def first_id_at(instant: datetime) -> UUID:
    """No id of this version made at or after an instant is smaller; none before it is larger."""
    return UUID(int=(int(instant.timestamp() * 1_000) << 80) | (0x7 << 76) | (0b10 << 62))
