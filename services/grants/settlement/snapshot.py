"""Frozen values as plain JSON, and back: what makes a settlement run reproducible."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from fractions import Fraction
from typing import Any


def frozen(value: Any) -> Any:
    """A dataclass of the rules as JSON that `programmes.reading.read` takes back unchanged."""
    if is_dataclass(value):
        return {
            part.name: frozen(getattr(value, part.name))
            for part in fields(value)
            if part.init and getattr(value, part.name) is not None
        }
    if isinstance(value, Mapping):
        return {key: frozen(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(frozen(item) for item in value)
    if isinstance(value, tuple | list):
        return [frozen(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Fraction):
        return str(value)
    return value
