"""Lines of NDJSON: found, read and ordered, with memory for one piece at a time. No database.

A line is `{"external_id": "…", "cells": {"brn": "…", …}}`. Rows that must be judged together are
those of one company, so the lines are taken in the order of their companies (and contracts).
"""

import hashlib
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import orjson

MAX_LINE_BYTES = 64 * 2**10
MAX_EXTERNAL_ID = 100
_SCALARS = (str, int, float, bool, type(None))


class Line(NamedTuple):
    """A line that could be read: its number from 1, the partner's id, and the cells."""

    number: int
    external_id: str
    cells: dict[str, Any]


class Malformed(NamedTuple):
    number: int
    external_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Index:
    """Where the lines are, in the order in which they will be judged."""

    numbers: Sequence[int]
    offsets: Sequence[int]
    groups: Sequence[str]
    order: Sequence[int]
    malformed: Sequence[Malformed]


def read_line(raw: bytes, number: int, columns: Collection[str]) -> Line | Malformed:
    """One line, or why it cannot be read."""
    if len(raw) > MAX_LINE_BYTES:
        return Malformed(number, None, "longer than 64 KiB")
    try:
        item = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Malformed(number, None, "no JSON")
    if not isinstance(item, dict) or item.keys() - {"external_id", "cells"}:
        return Malformed(number, None, "not {external_id, cells}")
    external_id, cells = item.get("external_id"), item.get("cells")
    if not isinstance(external_id, str) or not 0 < len(external_id) <= MAX_EXTERNAL_ID:
        return Malformed(number, None, "external_id")
    if "\x00" in external_id:
        return Malformed(number, None, "external_id")
    if not isinstance(cells, dict):
        return Malformed(number, external_id, "cells")
    for key, cell in cells.items():
        if key not in columns:
            return Malformed(number, external_id, f"no column '{key[:40]}'".replace("\x00", ""))
        if not isinstance(cell, _SCALARS):
            return Malformed(number, external_id, f"'{key}' is not a plain value")
    return Line(number, external_id, cells)


def index_lines(file: IO[bytes], columns: Collection[str]) -> Index:
    """Read the file once and remember where its good lines are; blank lines do not count."""
    numbers, offsets = array("L"), array("Q")
    groups: list[str] = []
    malformed = []
    names: dict[str, str] = {}  # the same text once, not once for every row
    file.seek(0)
    offset = number = 0
    for raw in file:
        if not raw.isspace():
            number += 1
            line = read_line(raw, number, columns)
            if isinstance(line, Malformed):
                malformed.append(line)
            else:
                group = _group(line)
                groups.append(names.setdefault(group, group))
                numbers.append(number)
                offsets.append(offset)
        offset += len(raw)
    order = array("L", sorted(range(len(groups)), key=groups.__getitem__))
    return Index(numbers, offsets, groups, order, malformed)


def pieces(index: Index, max_rows: int) -> Iterator[Sequence[int]]:
    """Positions in the index, at most `max_rows` at a time, and where possible cut between
    companies: a company's sum is rounded once (M-031)."""
    piece: list[int] = []
    start_of_company = 0
    company = None
    for position in index.order:
        current = index.groups[position].partition("\x1f")[0]
        if current != company:
            company, start_of_company = current, len(piece)
        piece.append(position)
        if len(piece) > max_rows:
            cut = start_of_company or max_rows
            yield piece[:cut]
            piece = piece[cut:]
            start_of_company = 0
    if piece:
        yield piece


def read_piece(
    file: IO[bytes], index: Index, piece: Sequence[int], columns: Collection[str]
) -> list[Line]:
    lines = []
    for position in piece:
        file.seek(index.offsets[position])
        line = read_line(file.readline(), index.numbers[position], columns)
        assert isinstance(line, Line)  # it was read before
        lines.append(line)
    return lines


def digest(cells: dict[str, Any]) -> bytes:
    """16 bytes, the same for the same cells in any order."""
    return hashlib.sha256(orjson.dumps(cells, option=orjson.OPT_SORT_KEYS)).digest()[:16]


def _group(line: Line) -> str:
    return f"{line.cells.get('brn')}\x1f{line.cells.get('contract_no')}"
