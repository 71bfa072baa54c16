"""Backups of the embedded server, and the way back to any moment since the oldest of them.

An *archive* is one directory, which ought to be on another machine's disk:

    wal/             every change, in pieces, as the running server hands them over
    base/<UTC time>/ a copy of the whole server, and the passwords and secrets that go with it

What a restore needs is in the archive alone. The files of `var/files` are not: they are never
changed once written, so any copy of that directory made after a backup fits it.
"""

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.local import tether
from deploy.local.errors import LocalError
from deploy.local.postgres import Cluster

NAME = "%Y%m%dT%H%M%SZ"
REPLAY_TIMEOUT_S = 3600.0
# A change is in the archive after this long at the latest, however little happens.
ARCHIVE_EVERY_S = 60


def archiving(archive: Path) -> dict[str, str]:
    """Settings of a server that hands its changes to `archive`. Makes the directory."""
    wal = archive.resolve() / "wal"
    wal.mkdir(parents=True, exist_ok=True)
    for folder in (archive, wal):
        tether.give_to_unprivileged(folder)
    target = shlex.quote(str(wal).replace("%", "%%"))
    # Whole or not at all, and never over one that is there.
    copy = f"cp %p {target}/%f.partial && sync {target}/%f.partial"
    return {
        "archive_mode": "on",
        "archive_command": f"test ! -f {target}/%f && {copy} && mv {target}/%f.partial {target}/%f",
        "archive_timeout": str(ARCHIVE_EVERY_S),
    }


def back_up(cluster: Cluster, archive: Path, beside: Iterable[Path] = ()) -> Path:
    """Copy the running server into the archive it hands its changes to, and check the copy.

    `beside`: files that a restored installation needs as well. Returns the directory of the copy.
    Raises `LocalError` when the server does not archive there or the copy is not whole.
    """
    if cluster.ask("SHOW archive_command") != archiving(archive)["archive_command"]:
        raise LocalError(f"The server does not hand its changes to {archive}: start it with that.")
    base = archive / "base"
    base.mkdir(exist_ok=True)
    partial = base / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    for folder in (base, partial):
        tether.give_to_unprivileged(folder)
    copy = partial / "pgdata"
    arguments, env = cluster.client_command("pg_basebackup")
    options = ["--checkpoint=fast", "--wal-method=stream", "--manifest-checksums=SHA256"]
    _run(cluster.as_server([*arguments, "-D", str(copy), *options]), env)
    check(copy)
    for file in (cluster.passwords_file, *beside):
        shutil.copy2(file, partial)
    # Rounded up: its name is never before its end.
    done = base / (datetime.now(UTC) + timedelta(seconds=1)).strftime(NAME)
    partial.rename(done)
    return done


def check(copy: Path) -> None:
    """Raise `LocalError` unless every file is what the server's manifest says was copied.

    PostgreSQL's own `pg_verifybackup` does the same; the one in our wheel crashes at its start."""
    manifest = json.loads((copy / "backup_manifest").read_text(encoding="utf-8"))
    for entry in manifest["Files"]:
        file = copy / (entry.get("Path") or bytes.fromhex(entry["Encoded-Path"]).decode())
        assert entry["Checksum-Algorithm"] == "SHA256"
        try:
            with file.open("rb") as content:
                found = hashlib.file_digest(content, "sha256").hexdigest()
        except FileNotFoundError:
            found = "missing"
        if found != entry["Checksum"]:
            raise LocalError(f"The backup is not whole: {file} is not what was copied.")


def restore(archive: Path, data_dir: Path, until: datetime | None = None) -> Path:
    """Make the server in `data_dir` anew as it was at `until`, or at its end.

    It starts from the newest copy that is older, repeats what the archive holds up to that moment,
    and stops. Returns the copy it started from. Raises `LocalError` when there is no such copy,
    when `data_dir` holds a server, or when the archive ends before `until`.
    """
    if (data_dir / "pgdata").exists():
        raise LocalError(f"{data_dir} holds a server already: restore into an empty directory.")
    source = _newest(archive / "base", until)
    check(source / "pgdata")
    data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / "passwords.json", data_dir)
    cluster = Cluster(data_dir)
    shutil.copytree(source / "pgdata", cluster.pgdata)
    _give_all(cluster.pgdata)
    own = cluster.pgdata / "postgresql.auto.conf"
    settings = own.read_text(encoding="utf-8")
    wal = shlex.quote(str(archive.resolve() / "wal").replace("%", "%%"))
    lines = [f"restore_command = {_literal(f'cp {wal}/%f %p')}"]
    if until is not None:
        lines.append(f"recovery_target_time = {_literal(until.isoformat())}")
        lines.append("recovery_target_action = 'promote'")
    own.write_text(settings + "\n".join(["", *lines, ""]), encoding="utf-8")
    signal_file = cluster.pgdata / "recovery.signal"
    signal_file.touch()
    for path in (own, signal_file):
        tether.give_to_unprivileged(path)
    _replay(cluster)
    own.write_text(settings, encoding="utf-8")
    return source


def _replay(cluster: Cluster) -> None:
    running = Cluster.start(cluster.data_dir)
    try:
        deadline = time.monotonic() + REPLAY_TIMEOUT_S
        while running.ask("SELECT pg_is_in_recovery()") != "False":
            if time.monotonic() > deadline:
                raise LocalError("The changes of the archive were not repeated in an hour.")
            time.sleep(0.1)
    finally:
        running.stop()


def _newest(base: Path, until: datetime | None) -> Path:
    copies = sorted(path for path in base.glob("*Z") if path.is_dir())
    if until is not None:
        limit = until.astimezone(UTC).strftime(NAME)
        copies = [path for path in copies if path.name <= limit]
    if not copies:
        raise LocalError(f"There is no backup in {base} from before that moment.")
    return copies[-1]


def _give_all(folder: Path) -> None:
    folder.chmod(0o700)
    for path in (folder, *folder.rglob("*")):
        tether.give_to_unprivileged(path)


def _literal(text: str) -> str:
    """As a value in PostgreSQL's configuration."""
    return "'" + text.replace("'", "''") + "'"


def _run(argv: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(argv, env=os.environ | env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalError(f"The backup failed: {done.stderr.strip()}")
