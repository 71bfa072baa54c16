"""The portal's types are those of the API of today."""

import re

import deploy.openapi
from deploy.local.child import ROOT

TYPES = ROOT / "gateway/portal/src/lib/api/schema.d.ts"


def test_the_portals_types_were_made_from_the_document_of_today() -> None:
    """After a change of routes or schemas: `npm run api` in gateway/portal."""
    with TYPES.open(encoding="utf-8") as file:
        made_from = file.readline().split()[-1]
    assert made_from == deploy.openapi.fingerprint(deploy.openapi.written())


def test_the_portal_writes_no_markup_of_its_own_making():
    """What people typed reaches a page as text. The browser's policy would refuse scripts; this
    refuses the places where they could come from."""
    forbidden = re.compile(
        r"{@html|\b(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|createContextualFragment"
        r"|\beval\(|new Function\(|javascript:|setHTMLUnsafe|srcdoc"
    )
    sources = [
        path
        for path in (ROOT / "gateway/portal/src").rglob("*")
        if path.suffix in {".svelte", ".ts", ".html"} and not path.name.endswith(".test.ts")
    ]
    assert len(sources) > 50
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sources
        for match in forbidden.finditer(path.read_text("utf-8"))
    }
    assert found == set()
