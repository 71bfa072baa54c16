"""What makes two claims the same, and until when one can be made. Pure."""

import hashlib
import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

from services.accrual.applications.cells import Value
from services.accrual.criteria.rules import FieldRule
from shared.sheets.typed import folded

_DASHES = re.compile("[\u2010-\u2015\u2212]")
_LEGAL_FORMS = re.compile(r"\((?:주|유|재|사)\)|주식회사|유한회사|재단법인|사단법인")


@lru_cache(1024)
def last_eligible_day(reference: date, years: int = 1) -> date:
    """The last day to apply for what happened on `reference` (M-022).

    Korean civil law counts from the next day and ends with the day before the one that corresponds
    to it; where the last month has no such day, with that month's last (민법 157, 160). Not
    extended over weekends, as the system takes applications on every day.
    """
    start = reference + timedelta(days=1)
    year = start.year + years
    last_of_month = monthrange(year, start.month)[1]
    if start.day > last_of_month:
        return date(year, start.month, last_of_month)
    return start.replace(year=year) - timedelta(days=1)


def claim_keys(rule: FieldRule, rows: Sequence[Mapping[str, Value]]) -> list[bytes]:
    """For each row 32 bytes, equal for two that claim the same thing in the same field (M-020).

    Spelling does not tell claims apart: case, width, spaces and punctuation are ignored. A hash,
    so that the index of the database holds no names. Rows repeat each other's values, and each is
    spelled out once.
    """
    columns = [[rule.code] * len(rows)]
    for key in rule.identity:
        spell = _contract_key if key == "contract_no" else _spelled
        column = [values.get(key, "") for values in rows]
        known = {value: spell(value) for value in set(column)}
        columns.append([known[value] for value in column])
    keys = map("\x1f".join, zip(*columns, strict=True))
    return [hashlib.blake2b(key.encode(), digest_size=32).digest() for key in keys]


def contract_of(rule: FieldRule, values: Mapping[str, Value]) -> str | None:
    """What instalments are summed under (M-031): the contract's number, or a gift's year.

    None where the company is the basis, or where neither is known.
    """
    if rule.basis == "company":
        return None
    if number := values.get("contract_no"):
        return _contract_key(number)
    paid_on = values.get(rule.reference)
    return f"{paid_on.year}년" if isinstance(paid_on, date) else None


def company_key(name: str) -> str:
    """A company's name without its legal form and without what people spell differently."""
    return folded(_LEGAL_FORMS.sub("", unicodedata.normalize("NFKC", name))) or folded(name)


def _spelled(value: Value) -> str:
    if isinstance(value, str):
        return folded(value)
    return str(value.toordinal() if isinstance(value, date) else value)


@lru_cache(8_192)  # asked for twice of every row
def _contract_key(number: Value) -> str:
    # Dashes stay: 2024-1-12 and 2024-11-2 are two contracts.
    line = str(number)
    if not unicodedata.is_normalized("NFKC", line):
        line = unicodedata.normalize("NFKC", line)
    return _DASHES.sub("-", "".join(line.casefold().split()))
