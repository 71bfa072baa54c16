"""An office's own workbook handed back with its errors marked where they are."""

import io
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from shared.problems import Finding, Lang
from shared.sheets.cells import is_blank, plain
from shared.sheets.workbooks import RESULT_SHEET, Grid, is_workbook

_AUTHOR = "산학 마일리지"
_FILLS = {
    "error": PatternFill("solid", fgColor="FFF8CBCB"),
    "warning": PatternFill("solid", fgColor="FFFFF2CC"),
}
_LEVELS = {"error": "오류", "warning": "확인"}
_RESULT_TITLES = ("행", "열", "구분", "내용", "입력한 값", "고칠 값", "코드")
_RESULT_WIDTHS = {"A": 8, "B": 22, "C": 8, "D": 70, "E": 22, "F": 22, "G": 26}


@dataclass(frozen=True, slots=True)
class Page:
    """Where the rows of a file were found.

    `name` is the title of their sheet, `places` the number of each column in it (1 is A) and
    `titles` what people call them, both by the field of a finding. `grid` opens the sheet again,
    as delimited text needs a workbook made of it.
    """

    name: str
    places: Mapping[str, int]
    titles: Mapping[str, str]
    grid: Callable[[], Grid]


def annotate(data: bytes, page: Page, findings: Iterable[Finding], *, lang: Lang = "ko") -> bytes:
    """The uploaded sheet as .xlsx, with red and yellow cells, comments, and a list of all findings.

    A finding stands in the cell of its row and field, in the first column where it names none, and
    in the column of its pointer where that is `/columns/<letters>`. Marks of an earlier round are
    taken away first, so that the copy can be corrected, uploaded and annotated again. Macros are
    not kept. Delimited text, and a workbook the writing library cannot open, come back as a new
    workbook with the same cells in the same places. Takes about a second for 1,000 faulty rows:
    not for the event loop.
    """
    findings = list(findings)
    workbook = (_loaded(data) if is_workbook(data) else None) or _copied(page)
    sheet = workbook[page.name]
    if RESULT_SHEET in workbook.sheetnames:
        del workbook[RESULT_SHEET]
        _remove_marks(sheet)
    marks: dict[Cell, list[Finding]] = {}
    for finding in findings:
        cell = _cell_of(sheet, page.places, finding)
        if cell is not None:
            marks.setdefault(cell, []).append(finding)
    for cell, found in marks.items():
        _mark(cell, found, lang)
    _list_findings(workbook, sheet, page, findings, lang)
    annotated = io.BytesIO()
    workbook.save(annotated)
    return annotated.getvalue()


def _loaded(data: bytes) -> openpyxl.Workbook | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of parts it does not know and leaves out
        try:
            return openpyxl.load_workbook(io.BytesIO(data), keep_links=False)
        except Exception:  # noqa: BLE001  # it raises anything on files Excel is content with
            return None


def _copied(page: Page) -> openpyxl.Workbook:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = page.name
    grid = page.grid()
    for number, line in enumerate(grid.rows, 1):
        for position, cell in enumerate(line, grid.first_column + 1):
            if not is_blank(cell):
                _write(sheet.cell(number, position), plain(cell))
    return workbook


def _write(cell: Cell | MergedCell, text: str) -> None:
    """Text as text: never a formula, and nothing XML cannot hold."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub(" ", text)
    cell.data_type = "s"


def _cell_of(sheet: Worksheet, places: Mapping[str, int], finding: Finding) -> Cell | None:
    if finding.row is None:
        return None
    number = places.get(finding.field or "", min(places.values()))
    if finding.pointer.startswith("/columns/"):
        number = column_index_from_string(finding.pointer.removeprefix("/columns/"))
    cell = sheet.cell(finding.row, number)
    if isinstance(cell, MergedCell):  # only the first of merged cells can carry anything
        (area,) = [area for area in sheet.merged_cells.ranges if cell.coordinate in area]
        cell = sheet.cell(area.min_row, area.min_col)
    return cell if isinstance(cell, Cell) else None


def _mark(cell: Cell, findings: Sequence[Finding], lang: Lang) -> None:
    cell.fill = _FILLS["error" if any(f.is_error for f in findings) else "warning"]
    lines = [finding.message(lang) for finding in findings]
    if cell.comment and cell.comment.text:
        lines.append(cell.comment.text)
    text = ILLEGAL_CHARACTERS_RE.sub(" ", "\n".join(lines))
    cell.comment = Comment(text, _AUTHOR, height=40 + 20 * len(lines), width=320)


def _remove_marks(sheet: Worksheet) -> None:
    colours = {fill.fgColor.rgb for fill in _FILLS.values()}
    for row in sheet.iter_rows():
        for cell in row:
            if cell.fill.fgColor.rgb in colours:
                cell.fill = PatternFill()
            if cell.comment and cell.comment.author == _AUTHOR:
                cell.comment = None


def _list_findings(
    workbook: openpyxl.Workbook,
    sheet: Worksheet,
    page: Page,
    findings: Iterable[Finding],
    lang: Lang,
) -> None:
    result = workbook.create_sheet(RESULT_SHEET)
    for column, width in _RESULT_WIDTHS.items():
        result.column_dimensions[column].width = width
    for position, title in enumerate(_RESULT_TITLES, 1):
        _write(result.cell(1, position), title)
        result.cell(1, position).font = Font(bold=True)
    quoted = sheet.title.replace("'", "''")
    for number, finding in enumerate(findings, 2):
        texts = (
            page.titles.get(finding.field or "", ""),
            _LEVELS[finding.kind.level],
            finding.message(lang),
            str(finding.params.get("value", "")),
            finding.suggestion or "",
            finding.code,
        )
        for position, text in enumerate(texts, 2):
            _write(result.cell(number, position), text)
        cell = _cell_of(sheet, page.places, finding)
        if cell is not None:
            result.cell(number, 1).value = finding.row
            place = Hyperlink(ref=f"A{number}", location=f"'{quoted}'!{cell.coordinate}")
            result.cell(number, 1).hyperlink = place
    result.freeze_panes = "A2"
