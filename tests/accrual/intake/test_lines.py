"""Lines of NDJSON found, read and ordered, without a database."""

import io
import tempfile

import orjson
import pytest

from services.accrual.intake.errors import BatchEmpty, BatchTooLong, BatchUnreadable
from services.accrual.intake.lines import Line, index_lines, pieces, read_line, read_piece
from services.accrual.intake.receiving import spool
from shared.problems import PayloadTooLarge

COLUMNS = frozenset({"brn", "contract_no", "note"})


def line(external_id="a", **cells):
    return orjson.dumps({"external_id": external_id, "cells": cells})


async def chunked(body, size):
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "not {external_id, cells}"),
        (b'{"external_id":"a","cells":{},"x":1}', "not {external_id, cells}"),
        (b'{"cells":{}}', "not {external_id, cells}"),
        (b'{"external_id":7,"cells":{}}', "external_id"),
        (b'{"external_id":"","cells":{}}', "external_id"),
        (b'{"external_id":"a\\u0000","cells":{}}', "external_id"),
        (orjson.dumps({"external_id": "a" * 101, "cells": {}}), "external_id"),
        (b'{"external_id":"a"}', "not {external_id, cells}"),
        (b'{"external_id":"a","cells":[]}', "cells"),
        (b'{"external_id":"a","cells":{"salary":1}}', "no column 'salary'"),
        (b'{"external_id":"a","cells":{"brn":[1]}}', "a cell is not a plain value"),
        (line(note="x" * 70_000), "longer than 64 KiB"),
        (b"[" * 10_000, "no JSON"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(raw, reason):
    assert read_line(raw, 3, COLUMNS).reason == reason


def test_lines_come_back_by_company_and_contract_whatever_their_order():
    body = b"\n".join(
        [
            line("1", brn="2", contract_no="b"),
            b"",
            line("2", brn="1"),
            b"  ",
            b"broken",
            line("3", brn="2", contract_no="a"),
            line("4", brn="1"),
        ]
    )
    with tempfile.TemporaryFile() as file:
        file.write(body)
        index = index_lines(file, by_contract=True)
        (piece,) = pieces(index, 100)
        read, malformed = read_piece(file, index, piece, COLUMNS)
    assert [(one.number, one.external_id) for one in read] == [
        (2, "2"),
        (5, "4"),
        (4, "3"),
        (1, "1"),
    ]
    assert [one.number for one in malformed] == [3]


def test_pieces_are_cut_between_companies_where_that_is_possible():
    rows = [line(str(n), brn=brn) for n, brn in enumerate("aaabbbbcdddddddddd")]
    index = index_lines(io.BytesIO(b"\n".join(rows)), by_contract=False)
    cut = [[index.groups[position].decode() for position in piece] for piece in pieces(index, 4)]
    assert ["".join(piece) for piece in cut] == ["aaa", "bbbb", "c", "dddd", "dddd", "dd"]


def digest(cells):
    return read_line(line("x", **cells), 1, frozenset(cells)).digest


def test_the_digest_of_cells_ignores_their_order_and_nothing_else():
    assert digest({"a": 1, "b": "x"}) == digest({"b": "x", "a": 1})
    assert len({digest({"a": cell}) for cell in (1, "1", 1.5, None, True, "")}) == 6


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("body", "total"),
    [
        (b"a\nb\nc", 3),
        (b"a\nb\nc\n", 3),
        (b"\n\na\r\n \nb\n\n", 2),
        (b"a", 1),
    ],
)
async def test_rows_are_counted_however_the_body_is_cut(body, total, size):
    file = io.BytesIO()
    digest, counted = await spool(chunked(body, size), file, array=False, max_rows=10, terms="t")
    assert (counted, file.getvalue()) == (total, body)
    whole = await spool(chunked(body, 1000), io.BytesIO(), array=False, max_rows=10, terms="t")
    other = await spool(chunked(body, 1000), io.BytesIO(), array=False, max_rows=10, terms="u")
    assert digest == whole[0] != other[0]
    assert sum(1 for raw in io.BytesIO(body) if not raw.isspace()) == total


async def test_an_array_becomes_lines():
    file = io.BytesIO()
    items = [{"external_id": "1", "cells": {}}, {"external_id": "2", "cells": {}}]
    _, total = await spool(chunked(orjson.dumps(items), 5), file, array=True, max_rows=10, terms="")
    assert total == 2
    assert [orjson.loads(raw) for raw in file.getvalue().splitlines()] == items


@pytest.mark.parametrize(
    ("body", "array", "problem"),
    [
        (b"", False, BatchEmpty),
        (b" \n\n ", False, BatchEmpty),
        (b"[]", True, BatchEmpty),
        (b"{}", True, BatchUnreadable),
        (b"[1,", True, BatchUnreadable),
        (b"a\n" * 11, False, BatchTooLong),
        (b"[1,2,3,4,5,6,7,8,9,0,1]", True, BatchTooLong),
        (b"[" + b" " * (4 * 2**20) + b"1]", True, PayloadTooLarge),
        (b"a" * (64 * 2**20 + 1), False, PayloadTooLarge),
    ],
)
async def test_bodies_out_of_bounds_are_refused(body, array, problem):
    with pytest.raises(problem):
        await spool(chunked(body, 2**20), io.BytesIO(), array=array, max_rows=10, terms="")


def test_a_line_that_can_be_read_is_given_back_whole():
    found = read_line(line("x", note=None, brn="1"), 9, COLUMNS)
    assert isinstance(found, Line)
    assert (found.number, found.external_id) == (9, "x")
    assert found.cells == {"brn": "1", "note": None}
    assert found.text == '{"brn":"1","note":null}'
