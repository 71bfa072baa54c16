"""Uploaded files opened as grids of cells: workbooks (.xlsx) and delimited text.

The type of a file is read from its content. A workbook is a zip of XML by anybody's hand, and its
parser is native code that ends the whole process where a file makes it ask for too much memory.
So nothing is parsed before it was weighed:

- the archive: entries, sizes, compression, encryption, names that occur twice;
- the XML: its encoding, no document type (hence no entities), no absurd counts;
- the extent of every worksheet (`worksheets`).

The parser then gets a fresh archive of the XML parts that were weighed, and nothing else, so that
no second reading of a forged archive can show it other bytes.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from python_calamine import (
    CalamineError,
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from shared.sheets import errors
from shared.sheets.cells import Cell, Fault
from shared.sheets.worksheets import Survey, is_ordinary, sheet_parts, survey

RESULT_SHEET = "검증 결과"  # which `annotation` adds, and no reader takes for rows

MAX_BYTES = 10 * 2**20
MAX_PARTS = 1_000
MAX_XML_BYTES = 32 * 2**20
MAX_RATIO = 200  # of parts above a megabyte; sheets of repeated rows reach about 40
MAX_CELLS = 4_000_000  # of the dense rectangle the parser keeps: about 100 MB

_DRM = (b"SCDSA00", b"\x9b DRMONE", b"<## NASCA DRM FILE")  # SoftCamp, Fasoo, Nasca
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")


@dataclass(frozen=True, slots=True)
class Grid:
    """One visible sheet, from its first line on.

    `rows[0]` is line 1; the first cell of a row is in column `first_column` (0 is A). `merged`
    holds (top, left, bottom, right) counted from 0, `hidden` line numbers counted from 1.
    """

    name: str
    rows: Iterator[Sequence[Cell]]
    first_column: int = 0
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: frozenset[int] = frozenset()


def is_workbook(data: bytes) -> bool:
    """Whether the content is a zip archive, as workbooks are, and not text.

    Raises the `FileUnusable` problems for what is neither.
    """
    if not data:
        raise errors.FileEmpty
    if len(data) > MAX_BYTES:
        raise errors.FileTooLarge
    if data.startswith(b"PK\x03\x04"):
        return True
    if data.startswith(_DRM):
        raise errors.FileEncrypted
    if data.startswith(_OLE):
        raise errors.FileEncrypted if _ENCRYPTED_PACKAGE in data else errors.FileOldExcel
    if data[:256].lstrip().lower().startswith(_MARKUP):
        raise errors.FileType
    return False


# --- workbooks --------------------------------------------------------------------------------


def open_workbook(data: bytes) -> Iterator[Grid]:
    """The visible sheets of a workbook, in its order.

    Raises `FileUnusable` problems; nothing else, whatever the bytes.
    """
    parts = unpack(data)
    surveys = {name: survey(part) for name, part in parts.items() if not is_ordinary(part)}
    if any(found.rows * found.columns > MAX_CELLS for found in surveys.values()):
        raise errors.FileOversized
    part_of = sheet_parts(parts) if surveys else {}
    try:
        workbook = CalamineWorkbook.from_object(io.BytesIO(_packed(parts)))
        for sheet in workbook.sheets_metadata:
            if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
                found = surveys.get(part_of.get(sheet.name, ""), Survey())
                yield _grid(workbook, sheet.name, found)
    except CalamineError as error:
        raise errors.FileUnusable from error


def _grid(workbook: CalamineWorkbook, name: str, found: Survey) -> Grid:
    sheet = workbook.get_sheet_by_name(name)
    first_column = sheet.start[1] if sheet.start else 0
    merged = tuple((*start, *end) for start, end in sheet.merged_cell_ranges or ())
    rows: Iterator[Sequence[Cell]] = sheet.iter_rows()
    if found.faults:
        rows = _with_faults(rows, found.faults, first_column)
    return Grid(name, rows, first_column, merged, frozenset(found.hidden))


def _with_faults(
    rows: Iterator[Sequence[Cell]],
    faults: Mapping[int, Mapping[int, Fault]],
    first_column: int,
) -> Iterator[Sequence[Cell]]:
    for number, row in enumerate(rows, 1):
        marked = list(row)
        for column, fault in faults.get(number, {}).items():
            if 0 <= column - first_column < len(marked):
                marked[column - first_column] = fault
        yield marked


def unpack(data: bytes) -> dict[str, bytes]:
    """The XML parts of a workbook by name, within the limits.

    Raises `FileUnsafe`, `FileOversized`, `FileEncrypted`, `FileType` or `FileUnusable`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if len(entries) > MAX_PARTS or len(names) < len(entries):
                raise errors.FileUnsafe
            if "xl/workbook.xml" not in map(str.lower, names):
                raise errors.FileType
            parts = {entry.filename: _part(archive, entry) for entry in _within_limits(entries)}
    except (
        zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError,
        NotImplementedError, RuntimeError, ValueError, IndexError,
    ) as error:  # fmt: skip
        raise errors.FileUnusable from error
    return parts


def _within_limits(entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    wanted = [entry for entry in entries if entry.filename.endswith((".xml", ".rels"))]
    if any(entry.flag_bits & 0x1 for entry in wanted):
        raise errors.FileEncrypted
    for entry in wanted:
        if entry.file_size > 2**20 and entry.file_size > entry.compress_size * MAX_RATIO:
            raise errors.FileUnsafe
    if sum(entry.file_size for entry in wanted) > MAX_XML_BYTES:
        raise errors.FileOversized
    return wanted


def _part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    part = archive.read(entry)  # never more than the size the entry states, which was weighed
    declaration = part[:200]
    encoding = re.search(rb"""encoding\s*=\s*["']([^"']*)""", declaration)
    if b"\x00" in declaration or (encoding and encoding[1].lower() not in (b"utf-8", b"utf8")):
        raise errors.FileUnsafe
    if _ABSURD_COUNT.search(part) or (b"!" in part and (b"<!D" in part or b"<!d" in part)):
        raise errors.FileUnsafe  # a document type is where entities are defined
    return part


_ABSURD_COUNT = re.compile(rb"""ount\s*=\s*["'][^"']{8}""")  # count, uniqueCount: room made ahead


def _packed(parts: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()
