"""Files built to exhaust, deceive or crash their reader are refused before they are parsed."""

import io
import random
import re
import struct
import zipfile

import pytest

from services.accrual.applications.columns import COLUMNS
from services.accrual.applications.workbook import read_sheet
from shared.sheets import errors as sheet_errors
from shared.sheets import workbooks as files
from shared.sheets.workbooks import open_workbook, unpack
from shared.sheets.worksheets import is_ordinary, survey
from tests.accrual.applications.sheets import lines_of, repacked, xlsx

HIRING = COLUMNS["HIRING"]
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
RIGHT = xlsx(lines_of("HIRING", {}))


def edited(part, old, new):
    def edit(parts):
        assert re.search(old, parts[part])
        parts[part] = re.sub(old, new, parts[part], count=1)

    return repacked(RIGHT, edit)


def with_cell(cell):
    """The right workbook with one more row of XML."""
    return edited(SHEET, rb"</sheetData>", b"<row>" + cell + b"</row></sheetData>")


def read(data):
    return read_sheet(data, HIRING)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", sheet_errors.FileEmpty),
        (b"x" * (files.MAX_BYTES + 1), sheet_errors.FileTooLarge),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, sheet_errors.FileOldExcel),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            sheet_errors.FileEncrypted,
        ),
        (b"SCDSA004\x00\x00", sheet_errors.FileEncrypted),
        (b"\x9b DRMONE  This Document is encrypted", sheet_errors.FileEncrypted),
        (b"<## NASCA DRM FILE - VER1.00 ##>", sheet_errors.FileEncrypted),
        (b"\n<html><table><tr><td>", sheet_errors.FileType),  # what some systems call .xls
        (b"%PDF-1.7\x00\x01", sheet_errors.FileType),
        (b"PK\x03\x04 and nothing behind it", sheet_errors.FileUnusable),
        (RIGHT[:-100], sheet_errors.FileUnusable),
        (b"\xff\xff\xff\xff,", sheet_errors.FileEncoding),
        (b"\xff\xfe\x00\xd8", sheet_errors.FileEncoding),
    ],
)
def test_what_is_no_sheet_is_refused_by_its_content(data, problem):
    with pytest.raises(problem) as refused:
        read(data)
    assert type(refused.value) is problem
    assert refused.value.title("ko")
    assert refused.value.title("en")


def test_another_zip_is_no_workbook():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(sheet_errors.FileType):
        read(file.getvalue())


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        # Each of these makes the parser reserve gigabytes and abort the process.
        (b'<c r="XFD1048576"><v>1</v></c>', sheet_errors.FileOversized),
        (b"<c r='XFD1048576'><v>1</v></c>", sheet_errors.FileOversized),
        (b'<c\n\tr = "XFD1048576"><v>1</v></c>', sheet_errors.FileOversized),
        (b'<c s="0" r="XFD1048576"><v>1</v></c>', sheet_errors.FileOversized),
        (b'<x:c xmlns:x="x" r="XFD1048576"><v>1</v></x:c>', sheet_errors.FileOversized),
        (b'<c r="zz99999"><v>1</v></c>', sheet_errors.FileOversized),
        (b'<c r="XFD1048576" t="inlineStr"><is><t>1</t></is></c>', sheet_errors.FileOversized),
        (b'<c r="ZZZZZZZ1"><v>1</v></c>', sheet_errors.FileUnusable),
        (b'<c r="B99999999999"><v>1</v></c>', sheet_errors.FileUnusable),
        (b'<c r="B5000000000"><v>1</v></c>', sheet_errors.FileUnusable),
        (b'<c r="&#90;Z9999"><v>1</v></c>', sheet_errors.FileOversized),
        (b'<c r=""><v>1</v></c>', sheet_errors.FileUnusable),
        (b'</row><row r="99999999"><c><v>1</v></c>', sheet_errors.FileUnusable),
        (b'</row><row r="-1"><c><v>1</v></c>', sheet_errors.FileUnusable),
        (b'<c r="A9" r= "XFD1048576"><v>1</v></c>', sheet_errors.FileUnusable),
    ],
)
def test_a_far_cell_is_refused_however_it_is_spelled(cell, problem):
    with pytest.raises(problem) as refused:
        read(with_cell(cell))
    assert type(refused.value) is problem


@pytest.mark.parametrize(
    "twice",
    [
        b'<c r="A9" r="XFD1048576"><v>1</v></c>',
        b"<c r=\"A9\" r='XFD1048576'><v>1</v></c>",
        b'<c r="A9"\tr ="XFD1048576"><v>1</v></c>',
        b'<c r="A9" s="1"r="XFD1048576"><v>1</v></c>',
    ],
)
def test_a_place_stated_twice_is_no_xml_though_the_parser_takes_the_second(twice):
    with pytest.raises(sheet_errors.FileUnusable):
        read(edited(SHEET, rb"</sheetData>", b'<row r="9">' + twice + b"</row></sheetData>"))
    row = b'<row r="9" r="1048576"><c r="A9"><v>1</v></c></row></sheetData>'
    with pytest.raises(sheet_errors.FileUnusable):
        read(edited(SHEET, rb"</sheetData>", row))


def test_many_cells_without_a_place_are_counted():
    wide = b"<c><v>1</v></c>" * 50_000
    tall = b'</row><row r="9999"><c r="A9999"><v>1</v></c>'
    with pytest.raises(sheet_errors.FileOversized):
        read(with_cell(wide + tall))


def test_formatting_far_away_is_harmless():
    data = with_cell(b'<c r="XFD1048576" s="0"/></row><row r="1048576" hidden="1">')
    sheet = read(data)
    assert (len(sheet.rows), sheet.findings) == (1, ())


def test_a_sheet_as_usual_needs_no_survey():
    for field in COLUMNS:
        parts = unpack(xlsx(lines_of(field, {}, {"brn": 1048203590})))
        assert all(map(is_ordinary, parts.values()))
    excel = b'<row r="2" spans="1:9" ht="16.5" customHeight="1" x14ac:dyDescent="0.3">'
    libre = b'<row r="3" customFormat="false" ht="12.8" outlineLevel="0" collapsed="false">'
    for row in (excel, libre):
        cells = b'<c r="A2" s="12" t="s"><v>1</v></c><c r="B2" s="3"/><c r="C2" t="n"><v/></c>'
        assert is_ordinary(b"<sheetData>" + row + cells + b"</row></sheetData>")
    assert not is_ordinary(unpack(with_cell(b"<c><v>1</v></c>"))[SHEET])


@pytest.mark.parametrize(
    "odd",
    [
        b"<c><v>1</v></c>",
        b'<c r="DA1"><v>1</v></c>',
        b'<c r="A10000"><v>1</v></c>',
        b'<c r="A1" t="e"><v>#N/A</v></c>',
        b"<c r=\"A1\" t='e'><v>#N/A</v></c>",
        b'<c r="A1"><f>1</f></c>',
        b'<c r="A1"><f t="shared" si="0"/></c>',
        b'<x:c r="A1"/>',
        b'</row><row hidden="1" r="9">',
        b'</row><row r="9" hidden="true">',
        b'</row><row r="9" ht="16" r="99999">',
        b'<c r="A1" r="DA1"><v>1</v></c>',
    ],
)
def test_the_quick_look_misses_nothing_a_survey_would_find(odd):
    assert is_ordinary(b'<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>')
    assert not is_ordinary(b'<sheetData><row r="1">' + odd + b"</row></sheetData>")


def test_a_survey_counts_places_as_the_parser_does():
    part = (
        b'<w xmlns:x="x"><sheetData><row r="3"><c r="B3"><v>1</v></c><c><v>2</v></c>'
        b'<c t="e"><v>#N/A</v></c><c><f>1</f><v></v></c><c t="str"><f>1</f><v/></c></row>'
        b'<x:row hidden="1"><x:c><x:is><x:t>a</x:t></x:is></x:c></x:row></sheetData></w>'
    )
    seen = survey(part)
    assert (seen.rows, seen.columns, seen.hidden) == (4, 4, {4})
    faults = {(row, column) for row, at in seen.faults.items() for column in at}
    assert faults == {(3, 3), (3, 4)}


def test_counts_that_make_the_parser_reserve_memory_are_refused():
    with pytest.raises(sheet_errors.FileUnsafe):
        read(edited(STRINGS, rb'uniqueCount="\d+"', b'uniqueCount="4294967295"'))


@pytest.mark.parametrize(
    "prologue",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        b'<!doctype x SYSTEM "http://127.0.0.1/x">',
    ],
)
@pytest.mark.parametrize("part", [SHEET, STRINGS, "xl/workbook.xml", "docProps/app.xml"])
def test_document_types_are_refused_in_every_part(part, prologue):
    with pytest.raises(sheet_errors.FileUnsafe):
        read(edited(part, rb"\?>", b"?>" + prologue))


def test_other_encodings_than_utf8_are_refused():
    with pytest.raises(sheet_errors.FileUnsafe):
        read(edited(SHEET, rb'encoding="UTF-8"', b'encoding="UTF-7"'))

    def utf16(parts):
        parts[SHEET] = parts[SHEET].decode().encode("utf-16")

    with pytest.raises(sheet_errors.FileUnsafe):
        read(repacked(RIGHT, utf16))


def test_a_bomb_is_refused_before_it_unfolds():
    def bomb(parts):
        parts["xl/worksheets/sheet2.xml"] = b" " * (30 * 2**20)

    with pytest.raises(sheet_errors.FileUnsafe):
        read(repacked(RIGHT, bomb))


def test_more_xml_than_any_sheet_needs_is_refused(monkeypatch):
    monkeypatch.setattr(files, "MAX_XML_BYTES", 1_000)
    with pytest.raises(sheet_errors.FileOversized):
        read(RIGHT)


def test_an_entry_that_lies_about_its_size_is_refused():
    data = bytearray(RIGHT)
    place = data.rindex(b"PK\x01\x02", 0, data.rindex(SHEET.encode()))
    (size,) = struct.unpack_from("<I", data, place + 24)
    struct.pack_into("<I", data, place + 24, size - 50)
    with pytest.raises(sheet_errors.FileUnusable):
        read(bytes(data))


def test_an_archive_of_thousands_of_entries_or_of_doubles_is_refused():
    with pytest.raises(sheet_errors.FileUnsafe):
        read(repacked(RIGHT, lambda parts: parts.update({f"{n}.bin": b"" for n in range(1_001)})))
    file = io.BytesIO(RIGHT)
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(SHEET, b"<worksheet/>")
    with pytest.raises(sheet_errors.FileUnsafe):
        read(file.getvalue())


def test_an_encrypted_archive_says_so():
    data = bytearray(RIGHT)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := data.find(signature, start)) >= 0:
            data[start + offset] |= 1
            start += 4
    with pytest.raises(sheet_errors.FileEncrypted):
        read(bytes(data))


@pytest.mark.parametrize("text", ['"' * 200_000, '"a\t' * 60_000, 'a""' * 60_000, '"\n' * 60_000])
def test_quotes_without_end_cost_no_more_than_other_text(text):
    with pytest.raises(sheet_errors.FileUnusable):
        read(f"x\n{text}".encode())


@pytest.mark.parametrize("text", ["\n" * 200_000, "," * 200_000])
def test_lines_and_cells_without_end_are_refused(text):
    with pytest.raises(sheet_errors.FileUnusable):
        read(text.encode())


def test_merged_cells_by_the_thousand_cost_little():
    ranges = b"".join(b'<mergeCell ref="A%d:A1048576"/>' % n for n in range(2, 9_000))
    data = edited(SHEET, rb"</sheetData>", b"</sheetData><mergeCells>" + ranges + b"</mergeCells>")
    assert len(read(data).rows) == 1


TOKENS = [
    *(b"4294967295", b"-1", b"9" * 30, b"1e308", b"NaN", b"A1048577", b"XFD1", b"", b'"', b"<"),
    *(b">", b"/>", b't="s"', b't="e"', b't="d"', b"\xff", b"&#0;", b'date1904="1"', b's="99999"'),
    *(b"2958466", b"-700000", b'ref="A1:ZZZZ9"', b"rId99", b"<f>", b"'", b" "),
]


def mutated(parts, luck):
    parts = dict(parts)
    for _ in range(luck.randint(1, 4)):
        name = luck.choice(sorted(parts))
        part = bytearray(parts[name])
        quoted = list(re.finditer(rb'"[^"]*"|\d+', bytes(part)))
        place = luck.choice(quoted).span() if quoted and luck.random() < 0.6 else None
        if place is None:
            start = luck.randrange(len(part) + 1)
            place = (start, start + luck.choice((0, 0, 1, 20)))
        part[place[0] : place[1]] = luck.choice(TOKENS)
        parts[name] = bytes(part)
    return parts


@pytest.mark.parametrize("seed", range(8))
def test_mutilated_workbooks_are_read_or_refused(seed):
    parts = {name: part for name, part in unpack(RIGHT).items() if "theme" not in name}
    luck = random.Random(seed)
    outcomes = set()
    for _ in range(60):
        data = repacked(RIGHT, lambda all_parts: all_parts.update(mutated(parts, luck)))
        try:
            for grid in open_workbook(data):
                list(grid.rows)
            outcomes.add("read")
        except sheet_errors.FileUnusable:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_the_limits_fit_the_parser():
    """What the quick look lets pass is a rectangle the survey would let pass too."""
    assert files.MAX_CELLS >= 9_999 * 104
