"""Pure rules about institutions: their kinds, business numbers, names."""

import re
import unicodedata
from enum import StrEnum

from services.auth.errors import BRN_CHECKSUM, BRN_COMPONENT, BRN_LENGTH
from shared.problems import FindingKind


class Kind(StrEnum):
    """What an institution is. An `iacf` is the 산학협력단 of a university."""

    UNIVERSITY = "university"
    IACF = "iacf"
    COMPANY = "company"
    AGENCY = "agency"
    OPERATOR = "operator"
    MINISTRY = "ministry"


class Status(StrEnum):
    """`dormant` (휴업) and `closed` (폐업) come from the business registry; `suspended` is the
    operator's act and closes the institution's accounts."""

    ACTIVE = "active"
    DORMANT = "dormant"
    CLOSED = "closed"
    SUSPENDED = "suspended"


ACADEMIC = frozenset({Kind.UNIVERSITY, Kind.IACF})

_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)
_HYPHENATED = re.compile(r"([0-9]{3})-([0-9]{2})-([0-9]{5})")


def brn_finding(brn: str) -> FindingKind | None:
    """What is wrong with a business registration number, or None (M-013).

    Digits are counted as ASCII: full-width and other digits are not 사업자등록번호.
    """
    if re.fullmatch(r"[0-9]{10}", brn) is None:
        return BRN_LENGTH
    if int(brn[:3]) < 101 or brn[3:5] == "00" or brn[5:9] == "0000":
        return BRN_COMPONENT
    digits = [int(digit) for digit in brn]
    total = sum(weight * digit for weight, digit in zip(_WEIGHTS, digits[:9], strict=True))
    total += digits[8] * 5 // 10
    return None if (10 - total % 10) % 10 == digits[9] else BRN_CHECKSUM


def plain_brn(text: str) -> str:
    """`104-82-03590` as `1048203590`; anything else as it came."""
    return _HYPHENATED.sub(r"\1\2\3", text.strip())


def clean_text(text: str) -> str:
    """Composed Hangul (NFC), single spaces, nothing invisible."""
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if char.isspace() else char for char in composed)
    return " ".join(
        "".join(char for char in visible if unicodedata.category(char)[0] != "C").split()
    )
