"""A worksheet's XML, looked at before its parser sees it: its extent, and what is passed over.

The parser keeps a dense rectangle up to the last filled cell and ends the process where there is
no memory for it: one cell at XFD1048576 is enough. It also reads a cell in error, and a formula
nobody calculated, as a blank. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from posixpath import normpath
from xml.parsers import expat

from shared.sheets import errors
from shared.sheets.cells import Fault

# A cell or row whose tag is not, to its last sign, what spreadsheets write: the place first and
# within 10,000 rows and 104 columns, no error, not hidden. Whole tags, because of two `r` in one
# tag, which is no XML, the parser takes the second.
_ODD_CELL = re.compile(
    rb'<c(?! r="[A-C]?[A-Z][0-9]{1,4}"[ st="0-9nbd]*+(?:inlineStr")?/?>)'  # no other `r`, no "e"
)
_ODD_ROW = re.compile(rb'<row(?! r="[0-9]{1,4}"(?: (?!r=|hidden=)[A-Za-z0-9:]++="[^"<]*+")*+ ?/?>)')
_ANY_DIGIT = bytes.maketrans(b"123456789", b"000000000")


def is_ordinary(part: bytes) -> bool:
    """Whether a part is no worksheet, or one in which a survey would find nothing.

    There is no formula either, and no namespace prefix. A few passes over the bytes say so in a
    tenth of the time it takes to parse them. They may take an ordinary sheet for another, never the
    other way round.
    """
    start, end = part.find(b"sheetData"), part.rfind(b"sheetData")
    if start < 0:
        return True
    data = part[start : end if end > start else None]
    # Which digit it is makes no difference to what is odd. Without them cells are much alike, and
    # each kind of them is looked at once.
    head, *cells = data.translate(_ANY_DIGIT).split(b"<c")
    kinds = b"<c".join((head, *set(cells)))
    return not (
        _ODD_CELL.search(kinds)
        or _ODD_ROW.search(kinds)
        # A single byte is found, or not, at once: it is asked for before words that contain it.
        or (b":" in data and (b":c" in data or b":row" in data))
        or (b"f" in data and (b"<f>" in data or b"<f " in data or b"<f/" in data))
    )


@dataclass(slots=True)
class Survey:
    """A worksheet's filled extent and its oddities.

    `faults` are the cells with an error or a formula without a value, by line (from 1) and column
    (from 0); `hidden` are line numbers.
    """

    rows: int = 0
    columns: int = 0
    faults: dict[int, dict[int, Fault]] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)


def survey(part: bytes) -> Survey:
    """Walk a worksheet. Raises `FileUnusable` where it is not well-formed or places make no sense.

    Follows the parser: a cell or row that does not state its place follows the one before it.
    """
    surveyor = _Surveyor()
    parser = expat.ParserCreate()
    parser.StartElementHandler = surveyor.start
    parser.EndElementHandler = surveyor.end
    parser.CharacterDataHandler = surveyor.text
    _parse(parser, part)
    return surveyor.found


_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})", re.ASCII)
_ROW = re.compile(r"[0-9]{1,7}", re.ASCII)


class _Surveyor:
    def __init__(self) -> None:
        self.found = Survey()
        self.row = self.column = 0  # of the last row and cell
        self.place = (0, 0)
        self.kind = ""
        self.inside = self.formula = self.filled = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self._start_cell(attributes)
        elif name == "row":
            self._start_row(attributes)
        elif name == "f":
            self.formula = True
        elif name in ("v", "t"):
            self.inside = True

    def _start_row(self, attributes: dict[str, str]) -> None:
        stated = attributes.get("r", str(self.row + 1))
        if not _ROW.fullmatch(stated):
            raise errors.FileUnusable
        self.row, self.column = int(stated), 0
        if attributes.get("hidden") in ("1", "true"):
            self.found.hidden.add(self.row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.column += 1
        self.place = (self.row, self.column)
        if "r" in attributes:
            stated = _CELL.fullmatch(attributes["r"])
            if not stated:
                raise errors.FileUnusable
            self.column = _column_number(stated[1])
            self.place = (int(stated[2]), self.column)
        self.kind = attributes.get("t", "")
        self.formula = self.filled = False

    def text(self, _: str) -> None:
        if self.inside:
            self.filled = True

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in ("v", "t"):
            self.inside = False
        elif name == "c":
            self._end_cell()

    def _end_cell(self) -> None:
        row, column = self.place
        if self.filled:
            self.found.rows = max(self.found.rows, row)
            self.found.columns = max(self.found.columns, column)
        fault = None
        if self.kind == "e":
            fault = Fault(errors.CELL_ERROR)
        elif self.formula and not self.filled and self.kind != "str":  # ="" has no text either
            fault = Fault(errors.FORMULA_NOT_CALCULATED)
        if fault:
            self.found.faults.setdefault(row, {})[column - 1] = fault


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def sheet_parts(parts: Mapping[str, bytes]) -> dict[str, str]:
    """The name of the part that holds each sheet, by the sheet's name."""
    targets: dict[str, str] = {}
    sheets: dict[str, str] = {}

    def relationship(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Relationship":
            target = attributes.get("Target", "")
            absolute = target.startswith("/")
            path = target.lstrip("/") if absolute else normpath(f"xl/{target}")
            targets[attributes.get("Id", "")] = path

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "sheet":
            ids = [value for key, value in attributes.items() if key.endswith(":id")]
            sheets[attributes.get("name", "")] = targets.get(ids[0], "") if ids else ""

    for part, handler in (("xl/_rels/workbook.xml.rels", relationship), ("xl/workbook.xml", sheet)):
        parser = expat.ParserCreate()
        parser.StartElementHandler = handler
        _parse(parser, parts.get(part, b""))
    return sheets


def _parse(parser: expat.XMLParserType, part: bytes) -> None:
    try:
        parser.Parse(part, True)
    except expat.ExpatError as error:
        raise errors.FileUnusable from error
