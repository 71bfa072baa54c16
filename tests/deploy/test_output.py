"""The console shows what a person must know; the file has everything and stays bounded."""

import json
import traceback
from pathlib import Path

import pytest

from deploy.local import output
from deploy.local.output import Console, LogFile


class Told(list[str]):
    """What a person would have read, and the console that told it."""

    def __init__(self) -> None:
        super().__init__()
        self.console = Console(self.append)
        self.console.starting = False

    def by(self, name: str, line: str | dict[str, object]) -> list[str]:
        """What is said because of this line."""
        self.clear()
        self.console.take(name, line if isinstance(line, str) else json.dumps(line))
        return [text.partition(" | ")[2] for text in self]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize("level", ["debug", "info"])
def test_ordinary_events_stay_in_the_file(told: Told, level: str) -> None:
    assert told.by("auth", {"level": level, "event": "request"}) == []


def test_a_warning_is_shown_with_its_facts(told: Told) -> None:
    line = {"level": "warning", "event": "slow", "ms": 900, "timestamp": "2026-01-01T00:00:00Z"}
    assert told.by("auth", line) == ["warning slow ms=900"]


def test_of_a_traceback_the_error_is_shown(told: Told) -> None:
    try:
        try:
            raise ValueError("first")
        except ValueError as error:
            raise LookupError("no hold\n[SQL: …]\n(Background on this error)") from error
    except LookupError:
        line = {"level": "error", "event": "job_failed", "exception": traceback.format_exc()}
    assert told.by("exchange", line) == ["error job_failed LookupError: no hold"]


def test_the_same_again_is_counted_instead_of_shown(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = {"level": "warning", "event": "not_reachable"}
    assert told.by("auth", line) == ["warning not_reachable"]
    assert told.by("auth", line) == []
    assert told.by("auth", line) == []
    assert told.by("grants", line) == ["warning not_reachable"]
    monkeypatch.setattr(output, "REPEAT_AFTER_S", 0.0)
    assert told.by("auth", line) == ["warning not_reachable (and 2 more in its log)"]


def test_while_starting_a_warning_is_no_news_but_an_error_is(told: Told) -> None:
    told.console.starting = True
    assert told.by("auth", {"level": "warning", "event": "not_reachable"}) == []
    assert told.by("auth", {"level": "error", "event": "crashed"}) == ["error crashed"]


def test_a_crash_before_logging_is_shown_as_it_is(told: Told) -> None:
    assert told.by("gateway", "ModuleNotFoundError: no x\n") == ["ModuleNotFoundError: no x"]


def test_a_refused_statement_is_no_news_but_a_dying_server_is(told: Told) -> None:
    assert told.by("postgres", "[12] auth@auth ERROR:  duplicate key value") == []
    assert told.by("postgres", "[12] FATAL:  could not write") == ["[12] FATAL:  could not write"]


def test_a_log_keeps_one_old_file_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "MAX_LOG_BYTES", 10)
    log = LogFile(tmp_path / "auth.log")
    for number in range(4):
        log.write(b"line %d .......\n" % number)
    log.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["auth.log", "auth.log.1"]
    assert (tmp_path / "auth.log").read_bytes() == b"line 3 .......\n"
