"""What the children say: everything into one bounded file each, what matters onto the console."""

import json
from pathlib import Path

MAX_LOG_BYTES = 20 * 1024 * 1024
SHOWN_LEVELS = {"warning", "error", "critical"}
# PostgreSQL writes an ERROR for every statement a constraint refuses, which services expect and
# answer; only what concerns the server itself belongs on the console.
SHOWN_BY_POSTGRES = ("FATAL:", "PANIC:")
MAX_SHOWN_CHARACTERS = 500


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


def console_text(name: str, line: str) -> str | None:
    """One line of a child as a person should see it, or None when the file is enough."""
    line = line.rstrip()
    if not line:
        return None
    if name == "postgres":
        return _shown(name, line) if any(mark in line for mark in SHOWN_BY_POSTGRES) else None
    try:
        event = json.loads(line)
    except ValueError:
        # Our processes log JSON; anything else is a crash before logging was set up.
        return _shown(name, line)
    if not isinstance(event, dict) or event.get("level") not in SHOWN_LEVELS:
        return None
    level, what = event.pop("level"), event.pop("event", "")
    details = {
        key: value
        for key, value in event.items()
        if key not in {"timestamp", "process", "exception", "trace_id"}
    }
    # The last line of a traceback names the error; the rest is in the file.
    cause = str(event.get("exception", "")).strip().rpartition("\n")[2]
    words = [level, str(what), *(f"{key}={value}" for key, value in details.items()), cause]
    return _shown(name, " ".join(filter(None, words)))


def _shown(name: str, text: str) -> str:
    return f"{name:>16} | {text[:MAX_SHOWN_CHARACTERS]}"
