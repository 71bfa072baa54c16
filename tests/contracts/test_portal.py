"""The portal's types are those of the API of today."""

from pathlib import Path

import deploy.openapi

TYPES = Path(__file__).parents[2] / "gateway/portal/src/lib/api/schema.d.ts"


def test_the_portals_types_were_made_from_the_document_of_today() -> None:
    """After a change of routes or schemas: `npm run api` in gateway/portal."""
    with TYPES.open(encoding="utf-8") as file:
        made_from = file.readline().split()[-1]
    assert made_from == deploy.openapi.fingerprint(deploy.openapi.written())
