"""The two shapes of a row: as it came, and as the formulas take it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from services.accrual.applications.cells import Value
from services.accrual.applications.columns import Column
from shared.sheets.cells import Cell


class RawRow(NamedTuple):
    """A row as it came: its number in the sheet (or list), and one cell for each column."""

    number: int
    cells: tuple[Cell, ...]


class Row(NamedTuple):
    """A row that passed every check.

    `quantity` is the eligible won (1 for a hire), `deposited_won` all money of the row before
    anything was excluded (0 for a hire). `reference_on` is the day its window starts from (M-022).
    `contract` groups instalments and is None where the company is the basis (M-031). `key` is the
    same for the same claim, in this sheet and in the database (M-020). `values` holds the filled
    cells by column key.
    """

    number: int
    brn: str
    company_name: str
    contract: str | None
    quantity: int
    deposited_won: int
    reference_on: date
    key: bytes
    values: Mapping[str, Value]


def raw_rows(
    columns: Sequence[Column], items: Iterable[tuple[int, Mapping[str, Cell]]]
) -> list[RawRow]:
    """Rows given as (number, cells by column key), as JSON has them; absent cells are blank."""
    keys = [column.key for column in columns]
    return [RawRow(number, tuple(map(item.get, keys))) for number, item in items]
