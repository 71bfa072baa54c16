"""What a visitor has to download, in bytes as they travel. Nothing is timed here.

The limits are what was reached, with room for a page or two: whoever meets one looks first at what
came along (`imports` in the manifest), and only then raises it."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.portal.browser import PORTAL
from tests.portal.conftest import cannot_be_tested

KB = 1000
BUILD = PORTAL / "build"
MANIFEST = PORTAL / ".svelte-kit" / "output" / "client" / ".vite" / "manifest.json"


class Manifest:
    """Which file needs which others before it can run."""

    def __init__(self) -> None:
        self._chunks: dict[str, dict[str, Any]] = json.loads(MANIFEST.read_text())

    def __iter__(self) -> Iterator[str]:
        return iter(self._chunks)

    def needed(self, *keys: str) -> set[str]:
        """The files of these chunks and of all they import before they run."""
        seen: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in seen:
                seen.add(key)
                waiting += self._chunks[key].get("imports", [])
        of_code = {self._chunks[key]["file"] for key in seen}
        return of_code.union(*(self._chunks[key].get("css", []) for key in seen))

    def nodes(self) -> list[str]:
        """Of each layout and page, the first being the layout of all."""
        found = [key for key in self if re.search(r"client-optimized/nodes/\d+\.js$", key)]
        return sorted(found, key=lambda key: int(key.rpartition("/")[2].removesuffix(".js")))

    def keys_of(self, files: set[str]) -> list[str]:
        return [key for key, chunk in self._chunks.items() if chunk["file"] in files]


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    if not MANIFEST.is_file() or not (BUILD / "index.html").is_file():
        cannot_be_tested("the portal is not built: make portal")
    return Manifest()


@pytest.fixture(scope="module")
def entry(manifest: Manifest) -> set[str]:
    """What the page itself asks for, whichever address was opened."""
    page = (BUILD / "index.html").read_text()
    named = set(re.findall(r"/(_app/immutable/[^\"']+\.(?:js|css))", page))
    assert named
    return named | manifest.needed(*manifest.keys_of(named))


@pytest.fixture(scope="module")
def paste_grid(entry: set[str]) -> set[str]:
    """Most of what a page with a grid needs; it has a limit of its own."""
    of_scripts = {str(path.relative_to(BUILD)) for path in BUILD.rglob("*.js")}
    found = {name for name in of_scripts if b"customElements.define" in (BUILD / name).read_bytes()}
    assert found
    assert not found & entry
    return found


def size(files: set[str], ending: str) -> int:
    return sum(
        len(gzip.compress(_without_slices((BUILD / name).read_bytes())))
        for name in files
        if name.endswith(ending)
    )


def _without_slices(content: bytes) -> bytes:
    """Upstream's list of the font's 120 slices is as long as it is; the rest is ours to keep
    small."""
    return re.sub(rb"@font-face\s*{[^}]*}", b"", content)


def test_what_every_page_needs_is_small(entry: set[str]) -> None:
    """Svelte, SvelteKit's router and TanStack Query are two thirds of it."""
    assert 0 < size(entry, ".js") <= 85 * KB


def test_no_page_adds_much_to_it(manifest: Manifest, entry: set[str], paste_grid: set[str]) -> None:
    known = entry | paste_grid
    added = {node: size(manifest.needed(node) - known, ".js") for node in manifest.nodes()}
    assert len(added) > 2
    assert {node: bytes_ for node, bytes_ in added.items() if bytes_ > 55 * KB} == {}
    assert size(paste_grid, ".js") <= 18 * KB


def test_all_pages_together_stay_small() -> None:
    """Nobody loads them all: it is what a release costs those who do."""
    scripts = {str(path.relative_to(BUILD)) for path in BUILD.rglob("*.js")}
    assert size(scripts, ".js") <= 450 * KB


def test_no_page_has_much_style(manifest: Manifest, entry: set[str]) -> None:
    styles = {node: size(manifest.needed(node) | entry, ".css") for node in manifest.nodes()}
    assert max(styles.values()) > 0
    assert {node: bytes_ for node, bytes_ in styles.items() if bytes_ > 20 * KB} == {}
