"""The page: it carries its own data as `certificate.json` (see `shared.typeset`)."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from shared.typeset import Template, qr

TEMPLATE: Final = Template(Path(__file__).parent / "certificate.typ")


def render(document: bytes, look: Mapping[str, Any], *, url: str, timestamp: datetime) -> bytes:
    """The PDF of a certificate. `document` is the JSON that is attached, byte for byte."""
    inputs = {
        "certificate": document.decode(),
        "look": orjson.dumps(look).decode(),
        "qr": qr(url),
    }
    return TEMPLATE.pdf(inputs, timestamp=timestamp)
