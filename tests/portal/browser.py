"""What a person's browser shows of the portal, and what must never happen in it."""

import fnmatch
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    Response,
    WebError,
)

PORTAL = Path(__file__).resolve().parents[2] / "gateway" / "portal"
PICTURES = Path(__file__).resolve().parents[2] / "var" / "portal"
FONT = "Pretendard GOV Variable"
# Nothing that has to do with how fast a machine is: only an end to waiting for what never comes.
# Who writes a journey has less: PATIENCE=5 pytest …
PATIENCE_MS = 1000 * int(os.environ.get("PATIENCE", "60"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_TELL_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`refused by policy: ${event.effectiveDirective} ${event.blockedURI}`));
"""


def find_chromium() -> str | None:
    """The system's; the driver brings none along, and none is downloaded."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    return None


class Watch:
    """Everything that goes wrong unseen in the browsers of one test.

    An answer of 400 and above is a fault, unless the test says that it means to see it.
    """

    def __init__(self, origin: str) -> None:
        self.faults: list[str] = []
        self.origin = origin
        self._meant: list[tuple[int, str]] = []

    def allow(self, status: int, path: str) -> None:
        """This test makes the server refuse: `watch.allow(422, "/api/v1/accrual/*")`."""
        self._meant.append((status, path))

    async def attach(self, context: BrowserContext) -> None:
        await context.add_init_script(_TELL_VIOLATIONS)
        context.on("console", self._console)
        context.on("weberror", self._crash)
        context.on("request", self._request)
        context.on("requestfailed", self._failure)
        context.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # What the browser says of answers is judged by the answer itself, below.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console error: {message.text}")

    def _crash(self, error: WebError) -> None:
        self.faults.append(f"uncaught: {error.error}")

    def _request(self, request: Request) -> None:
        # The browser's own viewer of PDF files is made of pages of its own.
        local = (f"{self.origin}/", "data:", "blob:", "chrome:", "chrome-extension:")
        if not request.url.startswith(local):
            self.faults.append(f"another origin was asked: {request.url}")

    def _failure(self, request: Request) -> None:
        # Whoever leaves a page breaks off what it was loading.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        path = urlsplit(response.url).path
        if response.status >= 400 and not any(
            response.status == status and fnmatch.fnmatchcase(path, pattern)
            for status, pattern in self._meant
        ):
            self.faults.append(f"{response.status}: {response.request.method} {path}")


async def assert_accessible(page: Page) -> None:
    """axe finds nothing against WCAG 2.2 A and AA in what the page shows now."""
    source = (PORTAL / "node_modules" / "axe-core" / "axe.min.js").read_text()
    await page.evaluate(source)
    found: list[dict[str, Any]] = await page.evaluate(
        """(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(
          ({violations}) => violations)""",
        _STANDARDS,
    )
    lines = [
        f"{one['id']}: {one['help']}\n    {node['target']}  {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]
    assert not lines, f"{page.url} is not accessible:\n" + "\n".join(lines)


async def assert_fits(page: Page) -> None:
    """Nobody has to scroll sideways to read the page."""
    width, room = await page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= room, f"{page.url} is {width} px wide on a screen of {room} px"


async def assert_korean_font(page: Page) -> None:
    """Hangul is drawn with our font. (`check` alone is content with a font nobody has.)"""
    loaded = await page.evaluate(
        """async (family) => {
          await document.fonts.ready;
          const faces = [...document.fonts].filter((face) => face.family.includes(family));
          return faces.some((face) => face.status === 'loaded') &&
            document.fonts.check(`16px "${family}"`, '가');
        }""",
        FONT,
    )
    assert loaded, f"{FONT} was not loaded"


async def keep_pictures(contexts: list[BrowserContext], name: str) -> None:
    """What every browser of a failed test showed in the end."""
    pages = [page for context in contexts for page in context.pages]
    PICTURES.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(pages, start=1):
        with suppress(Error):
            picture = PICTURES / f"{name}-{number}.png"
            await page.screenshot(path=picture, full_page=True, timeout=10_000)
            print(f"{page.url} looked like {picture}")
