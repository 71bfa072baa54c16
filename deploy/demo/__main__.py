"""`make demo`: the story of the platform, told by its users through the gateway.

Uses the installation at GATEWAY_URL, or the one that runs here; starts one of its own if none does.
Exits with 1 on the first surprise.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx2

from deploy.demo import chapters
from deploy.demo.cast import cast
from deploy.demo.client import Surprise
from deploy.demo.story import Story
from deploy.local.stack import stack

HERE = "http://127.0.0.1:8000"

CHAPTERS = (
    chapters.sign_in,
    chapters.criteria,
    chapters.accrual,
    chapters.exchange,
    chapters.grants,
    chapters.books,
)


@contextlib.contextmanager
def installation() -> Iterator[str]:
    """The gateway to talk to."""
    given = os.environ.get("GATEWAY_URL")
    if given or _answers(HERE):
        yield given or HERE
        return
    print("Nothing runs here: starting an installation for the demo (make run keeps one).")
    temporary = tempfile.TemporaryDirectory(prefix="sanhak-demo-")
    with temporary as directory, stack(Path(directory)) as own:
        yield own.gateway_url


def _answers(gateway: str) -> bool:
    with contextlib.suppress(httpx2.HTTPError):
        return httpx2.get(f"{gateway}/readyz", timeout=2).status_code == 200
    return False


def main() -> int:
    story = Story()
    with installation() as gateway, cast(story, gateway) as players:
        story.step(f"{gateway}, {datetime.now().astimezone():%Y-%m-%d %H:%M %Z}")
        try:
            for chapter in CHAPTERS:
                chapter(players)
        except Surprise as surprise:
            print(f"\nSurprise: {surprise}", file=sys.stderr)
            return 1
    story.end()
    return 0


sys.exit(main())
