"""Delimited text as spreadsheets write and copy it: decoding, and splitting into records. Pure."""

import re
from collections.abc import Iterator

from shared.sheets import errors

MAX_RECORDS = 100_000
MAX_FIELDS = 1_000


def decode(data: bytes) -> str:
    """UTF-8, UTF-16 with a byte order mark, or CP949. Raises `FileEncoding` or `FileType`."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\x00" in data:
        raise errors.FileType
    else:
        encodings = ["utf-8-sig", "cp949"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise errors.FileEncoding


def records(text: str, delimiter: str) -> Iterator[list[str]]:
    """The records of delimited text, quoted as spreadsheets quote: line breaks, doubled quotes.

    A quote that is never closed is a character like any other, so that a stray one does not
    swallow the rest of the sheet. `="0012"`, which keeps Excel from making a number of it, is
    0012. Raises `FileOversized`.
    """
    record: list[str] = []
    count = 0
    for found in _field(delimiter).finditer(text):
        quoted, bare, stop = found.groups()
        if not stop and not record and not bare and not quoted:
            return  # after the last line break
        record.append(quoted.replace('""', '"') if quoted is not None else _unwrapped(bare))
        if len(record) > MAX_FIELDS or count > MAX_RECORDS:
            raise errors.FileOversized
        if stop != delimiter:
            yield record
            record = []
            count += 1
        if not stop:
            return


def safe_field(text: str) -> str:
    """Text for an exported cell, which no spreadsheet takes for a formula: `=`, `+`, `-`, `@`."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _field(delimiter: str) -> re.Pattern[str]:
    d = re.escape(delimiter)
    # Possessive: an unclosed quote is given up at the first quote that closes nothing.
    return re.compile(rf'(?:"((?:[^"]++|"")*+)"(?=[{d}\r\n]|\Z)|([^{d}\r\n]*+))({d}|\r\n|\r|\n|\Z)')


def _unwrapped(bare: str) -> str:
    return bare[2:-1] if bare.startswith('="') and bare.endswith('"') and len(bare) > 3 else bare
