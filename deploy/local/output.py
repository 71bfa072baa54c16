"""What the children say: everything into one bounded file each, what matters onto the console."""

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAX_LOG_BYTES = 20 * 1024 * 1024
# While everything starts at once, each process warns that the others are not there yet.
SHOWN_LEVELS = {"warning", "error", "critical"}
SHOWN_WHILE_STARTING = {"error", "critical"}
# PostgreSQL writes an ERROR for every statement a constraint refuses, which services expect and
# answer; only what concerns the server itself belongs on the console.
SHOWN_BY_POSTGRES = ("FATAL:", "PANIC:")
# A broken process says the same thing hundreds of times; a person needs it once in a while.
REPEAT_AFTER_S = 30.0
MAX_SHOWN_CHARACTERS = 500

Say = Callable[[str], None]


class LogFile:
    """Appends to a file, and starts a new one, keeping one old, when it grows too long."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        if self._file.tell() > MAX_LOG_BYTES:
            self._file.close()
            self.path.replace(self.path.with_suffix(".log.1"))
            self._file = self.path.open("ab", buffering=0)
        self._file.write(data)

    def close(self) -> None:
        self._file.close()


class Console:
    """Picks the lines of the children that a person should see, and says them."""

    def __init__(self, say: Say) -> None:
        self.starting = True
        self._say = say
        self._last_shown: dict[tuple[str, str], float] = {}
        self._held_back: Counter[tuple[str, str]] = Counter()

    def take(self, name: str, line: str) -> None:
        """One line of a child's output."""
        line = line.rstrip()
        if name == "postgres":
            if any(mark in line for mark in SHOWN_BY_POSTGRES):
                self._show(name, line)
            return
        try:
            event = json.loads(line)
        except ValueError:
            # Our processes log JSON; anything else is a crash before logging was set up.
            if line:
                self._show(name, line)
            return
        levels = SHOWN_WHILE_STARTING if self.starting else SHOWN_LEVELS
        if isinstance(event, dict) and event.get("level") in levels:
            self._show_seldom(name, event)

    def _show_seldom(self, name: str, event: dict[str, Any]) -> None:
        kind, now = (name, str(event.get("event"))), time.monotonic()
        if now - self._last_shown.get(kind, -REPEAT_AFTER_S) < REPEAT_AFTER_S:
            self._held_back[kind] += 1
            return
        self._last_shown[kind] = now
        held_back = self._held_back.pop(kind, 0)
        more = f" (and {held_back} more in its log)" if held_back else ""
        self._show(name, describe(event) + more)

    def _show(self, name: str, text: str) -> None:
        text = " ".join(text.splitlines())
        self._say(f"{name:>16} | {text[:MAX_SHOWN_CHARACTERS]}")


def describe(event: dict[str, Any]) -> str:
    """An event in one line: its level, name, facts, and the error of its traceback."""
    hidden = {"level", "event", "timestamp", "process", "exception", "trace_id", "color_message"}
    facts = [f"{key}={value}" for key, value in event.items() if key not in hidden]
    words = [str(event["level"]), str(event.get("event", "")), *facts]
    return " ".join(filter(None, [*words, _error_of(str(event.get("exception", "")))]))


def _error_of(traceback: str) -> str:
    """The line that names the error: the first one after the last that is indented."""
    error, after_frame = "", False
    for line in traceback.splitlines():
        indented = line.startswith(" ")
        if after_frame and not indented:
            error = line
        after_frame = indented
    return error
