"""The form part of a rule set: the application's sections, with their texts and tables, as data.

Parts of the kinds `text`, `record` and `table` are written by the applicant and kept in a
document's `sections` under the part's code. A `view` prints what other parts of the document say
(the budget by item, the people of a line), so that nothing is entered twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from services.grants.programmes.rules.terms import Text

ColumnType = Literal[
    "text",
    "long",
    "count",
    "won",
    "rate",
    "day",
    "year",
    "choice",
    "months",
    "crn",
    "researcher",
    "email",
]
View = Literal[
    "summary",
    "consortium",
    "headcount",
    "years",
    "budget",
    "people",
    "goods",
    "notes",
    "pledge",
    "documents",
]


_TITLE: Final = Text("사업계획서", "Proposal")


@dataclass(frozen=True, slots=True)
class Named:
    """A code with its name: a fixed row of a table, or an option of a column."""

    code: str
    name: Text


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or a field of a record.

    A column with `total_of` is the sum of others, one with `share_of` the percentage the first is
    of the second; both are computed, never entered. `summed` adds the column up under the table.
    `half` says that a column is about the first or second half of the project year (G-012).
    `names_people`: every participant of the budget must be named in this column.
    """

    code: str
    name: Text
    type: ColumnType = "text"
    options: tuple[Named, ...] = ()
    required: bool = False
    total_of: tuple[str, ...] = ()
    share_of: tuple[str, ...] = ()
    summed: bool = False
    half: Literal[0, 1, 2] = 0
    names_people: bool = False

    @property
    def computed(self) -> bool:
        return bool(self.total_of or self.share_of)


@dataclass(frozen=True, slots=True)
class Part:
    """Something with a heading. `rows` are the printed rows of a table that has them fixed.

    `level` is the heading's depth inside its section; `items` limits a view to these items of the
    budget, `kinds` to these uses. `years`: the rows are the years of the programme, the columns
    `grant_won`, `cash_won` and `in_kind_won`; a view of `years` shows it again. `only` keeps a
    part to new or to continuing projects.
    """

    code: str
    name: Text
    kind: Literal["heading", "text", "record", "table", "view"]
    level: int = 2
    columns: tuple[Column, ...] = ()
    rows: tuple[Named, ...] = ()
    view: View | None = None
    items: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    years: bool = False
    only: Literal["new", "continuing"] | None = None
    note: Text | None = None
    citation: str = ""

    @property
    def written(self) -> bool:
        """Whether an applicant writes it, and a document keeps it."""
        return self.kind in ("text", "record", "table")

    @property
    def entered(self) -> tuple[Column, ...]:
        """The columns a document keeps."""
        return tuple(column for column in self.columns if not column.computed)


@dataclass(frozen=True, slots=True)
class FormSection:
    code: str
    name: Text
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """The application's sections in the document's own order (G-010, G-011)."""

    rule: str = ""
    title: Text = _TITLE
    sections: tuple[FormSection, ...] = field(default=())

    def parts(self) -> Iterator[Part]:
        for section in self.sections:
            yield from section.parts
