"""Personal data in rows, masked unless someone states why they need it (A7). Pure."""

from collections.abc import Mapping
from typing import Any

HIDDEN = "***"
PERSONAL = frozenset({"trainee_name", "department", "admission_year", "note"})
"""Columns that say, or may say, who a student is; a note is free text."""


def masked(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a row with personal data masked: 홍길동 → 홍*동."""
    return {key: _mask(key, value) for key, value in cells.items()}


def mask_name(name: str) -> str:
    """The first and the last letter stay, of two letters the first; one letter says nothing."""
    name = name.strip()
    if len(name) < 2:
        return "*" * len(name)
    if len(name) == 2:
        return name[0] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def _mask(key: str, value: Any) -> Any:
    if key not in PERSONAL or value is None or value == "":
        return value
    return mask_name(str(value)) if key == "trainee_name" else HIDDEN
