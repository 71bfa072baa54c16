"""Pages: PDF/A-3a and PDF/UA-1 files, made from templates beside the code that fills them.

The same input gives the same bytes: the fonts are those in `shared/fonts`, the timestamp is the
document's, and nothing is taken from the machine.
"""

import io
from collections.abc import Mapping
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final

import orjson
import segno
import typst
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # it has no stubs

FONTS: Final = Path(__file__).parent / "fonts"
UNKNOWN: Final = "□"
_one_at_a_time = Lock()  # a compiler is no place for two threads


class Template:
    """A Typst file; it finds its inputs in `sys.inputs` and nothing outside of its own folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pdf(self, inputs: Mapping[str, str], *, timestamp: datetime) -> bytes:
        """The file; tens of milliseconds of one core, so call it in a thread.

        Every character must be in `drawable()`: one that no font has would be left out without a
        word.
        """
        with _one_at_a_time:
            pdf = self._compiler.compile(
                format="pdf",
                sys_inputs=dict(inputs),
                pdf_standards=["a-3a", "ua-1"],
                timestamp=int(timestamp.timestamp()),
            )
        assert isinstance(pdf, bytes)
        return pdf

    @cached_property
    def _compiler(self) -> typst.Compiler:
        fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)]
        )
        return typst.Compiler(
            str(self.path), root=str(self.path.parent), font_paths=fonts, ignore_system_fonts=True
        )


@cache
def drawable() -> frozenset[int]:
    """The code points that both weights of the font have a glyph for. The first call takes a
    second of one core, so it too belongs in a thread."""
    return frozenset(set.intersection(*map(_code_points, FONTS.glob("*.otf"))))


def legible(text: str) -> str:
    """The text with a box for every character that the fonts cannot draw."""
    known = drawable()
    return "".join(char if ord(char) in known else UNKNOWN for char in text)


def legible_json(value: Any) -> str:
    """What a template reads as JSON, every text in it `legible`: words of others have anything."""
    return orjson.dumps(_legible(value)).decode()


def qr(url: str) -> str:
    """An SVG of the QR code of an address."""
    drawn = io.BytesIO()
    segno.make(url, error="m", micro=False).save(drawn, kind="svg", border=2, xmldecl=False)
    return drawn.getvalue().decode()


def _code_points(font: Path) -> set[int]:
    with TTFont(font, lazy=True) as opened:
        return set(opened.getBestCmap())


def _legible(value: Any) -> Any:
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, Mapping):
        return {key: _legible(each) for key, each in value.items()}
    return [_legible(each) for each in value] if isinstance(value, list | tuple) else value
