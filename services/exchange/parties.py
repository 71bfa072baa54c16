"""The parties of a trade, and who acts as which. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Party(StrEnum):
    BUYER = "buyer"
    SELLER = "seller"
    OPERATOR = "operator"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: as which party, and the account the token names."""

    party: Party
    subject: str | None = None
    institution_id: UUID | None = None


SYSTEM = Actor(Party.SYSTEM)
