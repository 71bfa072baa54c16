"""The console shows what a person must know; the file has everything and stays bounded."""

import json
from pathlib import Path

import pytest

from deploy.local import output
from deploy.local.output import LogFile, console_text


@pytest.mark.parametrize("level", ["debug", "info"])
def test_ordinary_events_stay_in_the_file(level: str) -> None:
    assert console_text("auth", json.dumps({"level": level, "event": "request"})) is None


def test_a_warning_is_shown_with_its_facts_and_the_end_of_its_traceback() -> None:
    line = json.dumps(
        {
            "level": "error",
            "event": "job_failed",
            "job": "orders.drive",
            "exception": "Traceback …\n  File x\nValueError: no hold",
            "timestamp": "2026-01-01T00:00:00Z",
        }
    )
    shown = console_text("exchange", line)
    assert shown == "        exchange | error job_failed job=orders.drive ValueError: no hold"


def test_a_crash_before_logging_is_shown_as_it_is() -> None:
    shown = console_text("gateway", "ModuleNotFoundError: No module named 'x'\n")
    assert shown == "         gateway | ModuleNotFoundError: No module named 'x'"


def test_a_refused_statement_is_no_news_but_a_dying_server_is() -> None:
    assert console_text("postgres", "[12] auth@auth ERROR:  duplicate key value") is None
    assert console_text("postgres", "[12] FATAL:  could not write") is not None


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
