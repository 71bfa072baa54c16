"""Pure rules of login sessions: what a refresh token looks like and what showing one means.

A session is a family of refresh tokens, numbered by generation; exactly one is current. Showing
the current one makes its successor. The token of a generation is computed, not stored, so the
same successor can be handed out twice: when an answer got lost, or two tabs refreshed at once.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

GRACE = timedelta(seconds=10)
_TOKEN = re.compile(r"rt1\.([0-9a-f]{32})\.([0-9]{1,9})\.([A-Za-z0-9_-]{43})")


class Verdict(StrEnum):
    ROTATE = "rotate"  # the current token: make the successor
    REPEAT = "repeat"  # its immediate predecessor, just now: give the same successor again
    REUSE = "reuse"  # an older one: somebody has a copy
    OVER = "over"  # ended, idle for too long, or past its last hour
    UNKNOWN = "unknown"  # a generation that never was


@dataclass(frozen=True, slots=True)
class Family:
    """What decides about a shown token. `rotated_at`: when the current generation was made."""

    generation: int
    rotated_at: datetime
    idle_from: datetime
    expires_at: datetime
    ended: bool


@dataclass(frozen=True, slots=True)
class ShownToken:
    family_id: UUID
    generation: int
    mac: str


def judge(family: Family, generation: int, now: datetime) -> Verdict:
    if family.ended or now >= family.expires_at or now >= family.idle_from:
        return Verdict.OVER
    if generation > family.generation or generation < 1:
        return Verdict.UNKNOWN
    if generation == family.generation:
        return Verdict.ROTATE
    if generation == family.generation - 1 and now - family.rotated_at <= GRACE:
        return Verdict.REPEAT
    return Verdict.REUSE


def parse(token: str) -> ShownToken | None:
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    return ShownToken(UUID(match[1]), int(match[2]), match[3])


def write(family_id: UUID, generation: int, mac: str) -> str:
    return f"rt1.{family_id.hex}.{generation}.{mac}"
