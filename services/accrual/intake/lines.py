"""Lines of NDJSON: found, read and ordered, with memory for one piece at a time. No database.

A line is `{"external_id": "…", "cells": {"brn": "…", …}}`. Rows that must be judged together are
those of one company, so the lines are taken in the order of their companies (and contracts).
"""

import hashlib
import os
import re
from array import array
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

import orjson

MAX_LINE_BYTES = 64 * 2**10
MAX_EXTERNAL_ID = 100
_KEYS = frozenset({"external_id", "cells"})
_PLAIN = frozenset({str, int, float, bool, type(None)})


class Line(NamedTuple):
    """A line that could be read: its number from 1, the partner's id, and the cells.

    `text` is the cells as JSON, `digest` 16 bytes of it: the same for the same cells in any order.
    """

    number: int
    external_id: str
    cells: dict[str, Any]
    text: str
    digest: bytes


class Malformed(NamedTuple):
    number: int
    external_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Index:
    """Where the lines are (the first is at position 0), and in which order they are judged."""

    offsets: Sequence[int]
    lengths: Sequence[int]
    groups: Sequence[bytes]
    order: Sequence[int]


def read_line(raw: bytes, number: int, columns: Set[str]) -> Line | Malformed:
    """One line, or why it cannot be read."""
    if len(raw) > MAX_LINE_BYTES:
        return Malformed(number, None, "longer than 64 KiB")
    try:
        item = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return Malformed(number, None, "no JSON")
    if not isinstance(item, dict) or item.keys() != _KEYS:
        return Malformed(number, None, "not {external_id, cells}")
    external_id, cells = item["external_id"], item["cells"]
    if not isinstance(external_id, str) or not 0 < len(external_id) <= MAX_EXTERNAL_ID:
        return Malformed(number, None, "external_id")
    if "\x00" in external_id:
        return Malformed(number, None, "external_id")
    if not isinstance(cells, dict):
        return Malformed(number, external_id, "cells")
    if not cells.keys() <= columns:
        unknown = min(cells.keys() - columns)[:40].replace("\x00", "")
        return Malformed(number, external_id, f"no column '{unknown}'")
    if not _PLAIN.issuperset(map(type, cells.values())):
        return Malformed(number, external_id, "a cell is not a plain value")
    ordered = orjson.dumps(cells, option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(ordered).digest()[:16]
    return Line(number, external_id, cells, ordered.decode(), digest)


def index_lines(file: IO[bytes], *, by_contract: bool) -> Index:
    """Look over the file once and remember where its lines are; blank lines do not count.

    The company and the contract are found by pattern, not by parsing: every line is parsed once,
    when its turn comes. A line that hides them is judged among others like it, nothing worse.
    """
    offsets, lengths = array("Q"), array("L")
    groups: list[bytes] = []
    names: dict[bytes, bytes] = {}  # the same text once, not once for every row
    file.seek(0)
    offset = 0
    for raw in file:
        if not raw.isspace():
            group = _group(raw, by_contract=by_contract)
            groups.append(names.setdefault(group, group))
            offsets.append(offset)
            lengths.append(min(len(raw), MAX_LINE_BYTES + 1))
        offset += len(raw)
    order = array("L", sorted(range(len(groups)), key=groups.__getitem__))
    return Index(offsets, lengths, groups, order)


def pieces(index: Index, max_rows: int) -> Iterator[Sequence[int]]:
    """Positions in the index, at most `max_rows` at a time, and where possible cut between
    companies: a company's sum is rounded once (M-031)."""
    piece: list[int] = []
    start_of_company = 0
    company = None
    for position in index.order:
        current = index.groups[position].partition(_BETWEEN)[0]
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
    file: IO[bytes], index: Index, piece: Sequence[int], columns: Set[str]
) -> tuple[list[Line], list[Malformed]]:
    """Parse the lines of a piece: those that can be read, and the others."""
    lines: list[Line] = []
    malformed: list[Malformed] = []
    descriptor = file.fileno()
    for position in piece:
        raw = os.pread(descriptor, index.lengths[position], index.offsets[position])
        line = read_line(raw, position + 1, columns)
        if isinstance(line, Line):
            lines.append(line)
        else:
            malformed.append(line)
    return lines, malformed


_BETWEEN = b"\x1f"
_BRN = re.compile(rb'"brn"\s*:\s*"?([^",}]{0,40})')
_CONTRACT = re.compile(rb'"contract_no"\s*:\s*"?([^",}]{0,200})')


def _group(raw: bytes, *, by_contract: bool) -> bytes:
    found = _BRN.search(raw)
    brn = found[1] if found else b""
    if not by_contract:
        return brn
    contract = _CONTRACT.search(raw)
    return brn + _BETWEEN + (contract[1] if contract else b"")
