"""The page: a PDF/A-3a and PDF/UA-1 file that carries its own data as `certificate.json`.

The same document gives the same bytes: the fonts are those beside this module, the timestamp is
the document's, and nothing is taken from the machine.
"""

import io
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson
import segno
import typst
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # it has no stubs

HERE: Final = Path(__file__).parent
FONTS: Final = HERE / "fonts"
_one_at_a_time = Lock()  # a compiler is no place for two threads


def render(document: bytes, look: Mapping[str, Any], *, url: str, timestamp: datetime) -> bytes:
    """The PDF of a certificate; tens of milliseconds of one core, so call it in a thread.

    `document` is the JSON that is attached, byte for byte. Every character must be in
    `drawable()`: one that no font has would be left out without a word.
    """
    inputs = {
        "certificate": document.decode(),
        "look": orjson.dumps(look).decode(),
        "qr": _qr(url),
    }
    with _one_at_a_time:
        pdf = _compiler().compile(
            format="pdf",
            sys_inputs=inputs,
            pdf_standards=["a-3a", "ua-1"],
            timestamp=int(timestamp.timestamp()),
        )
    assert isinstance(pdf, bytes)
    return pdf


@cache
def drawable() -> frozenset[int]:
    """The code points that both weights of the font have a glyph for. The first call takes a
    second of one core, so it too belongs in a thread."""
    return frozenset(set.intersection(*map(_code_points, FONTS.glob("*.otf"))))


def _code_points(font: Path) -> set[int]:
    with TTFont(font, lazy=True) as opened:
        return set(opened.getBestCmap())


@cache
def _compiler() -> typst.Compiler:
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
    )
    return typst.Compiler(
        str(HERE / "certificate.typ"), root=str(HERE), font_paths=fonts, ignore_system_fonts=True
    )


def _qr(url: str) -> str:
    drawn = io.BytesIO()
    segno.make(url, error="m", micro=False).save(drawn, kind="svg", border=2, xmldecl=False)
    return drawn.getvalue().decode()
