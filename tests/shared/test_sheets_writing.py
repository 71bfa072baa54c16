"""Workbooks out: text no spreadsheet would run, and nothing left behind by one that failed."""

import tempfile
from datetime import UTC, date, datetime

import openpyxl
import pytest

from shared.sheets import writing
from shared.sheets.writing import Page, at_once, write_book

DANGEROUS = ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "=cmd|' /C calc'!A0"]


async def test_a_workbook_holds_nothing_a_spreadsheet_would_execute():
    lines = [(value, -5, None) for value in DANGEROUS]
    with await write_book(Page("표", {"=제목": 10, "수": 8, "": 8}, at_once(lines))) as file:
        page = openpyxl.load_workbook(file).active
    heading, *rows = page.iter_rows()
    assert heading[0].value == "'=제목"
    assert [row[0].data_type for row in rows] == ["s"] * len(DANGEROUS)
    assert all(row[0].value.startswith("'") for row in rows)
    assert {(row[1].value, row[2].value) for row in rows} == {(-5, None)}


async def test_instants_are_shown_as_the_clocks_of_korea_show_them():
    line = (datetime(2026, 1, 31, 15, 0, 1, tzinfo=UTC), date(2026, 2, 1))
    with await write_book(Page("표", {"때": 10, "날": 10}, at_once([line]))) as file:
        page = openpyxl.load_workbook(file).active
    assert [cell.value for cell in page[2]] == ["2026-02-01 00:00:01", "2026-02-01"]


async def test_a_batch_that_fails_leaves_no_file_behind(monkeypatch, tmp_path):
    made = []
    real = writing.SpooledTemporaryFile
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(
        writing, "SpooledTemporaryFile", lambda **given: made.append(real(**given)) or made[-1]
    )

    async def batches():
        yield [("첫 줄",)]
        assert list(tmp_path.iterdir())  # the line went to disk
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await write_book(Page("표", {"이름": 10}, batches()))
    assert [file.closed for file in made] == [True]
    assert not list(tmp_path.iterdir())
