"""Command prefixes that bind a child process to this one, through util-linux's `setpriv`.

On Linux the kernel signals a tethered child the moment its parent dies, however it dies, so that
`kill -9` on the supervisor leaves nothing behind. Where `setpriv` is missing (macOS) children run
untethered and the next start clears what it finds.

The kernel watches the *thread* that started the child: start children from the main thread.
"""

import grp
import os
import pwd
import shutil
import signal
from pathlib import Path

from deploy.local.errors import LocalError

# PostgreSQL refuses to run as root. Every system has this account, so none needs to be created.
UNPRIVILEGED = "nobody"
# A parent that died before the kernel was asked to watch it is noticed by nobody but the child.
IF_PARENT_LIVES = 'test "$PPID" -eq "$0" && exec "$@"'


def tethered(argv: list[str], death_signal: signal.Signals) -> list[str]:
    """`argv`, to be sent `death_signal` when this process dies. Not for a process made later."""
    setpriv = shutil.which("setpriv")
    return argv if setpriv is None else [setpriv, *_tether(argv, death_signal)]


def unprivileged(argv: list[str], death_signal: signal.Signals, paths: list[Path]) -> list[str]:
    """The same, and as an ordinary account when this process is root.

    `paths` are what the child must reach. A clone below a directory that only root may enter
    (`/root`, `mktemp -d`) is common in containers and CI; rather than open such directories to
    everybody, the child then keeps the one capability that passes them.
    """
    if os.geteuid() != 0:
        return tethered(argv, death_signal)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise LocalError(
            "PostgreSQL does not run as root: use an ordinary account, or install util-linux "
            "so that `setpriv` can change to one."
        )
    account = pwd.getpwnam(UNPRIVILEGED)
    options = ["--reuid", account.pw_name, "--regid", grp.getgrgid(account.pw_gid).gr_name]
    options += ["--clear-groups", "--no-new-privs"]
    if not all(_everybody_may_enter(path) for path in paths):
        for kind in ("--inh-caps", "--ambient-caps", "--bounding-set"):
            options += [kind, "-all,+dac_override"]
        # Or else access(2), by which PostgreSQL looks for its own programs, ignores capabilities.
        options += ["--securebits", "+no_setuid_fixup"]
    return [setpriv, *options, *_tether(argv, death_signal)]


def give_to_unprivileged(path: Path) -> None:
    """Makes the account of `unprivileged` the owner of `path`, when this process is root."""
    if os.geteuid() == 0:
        shutil.chown(path, UNPRIVILEGED)


def _tether(argv: list[str], death_signal: signal.Signals) -> list[str]:
    name = death_signal.name.removeprefix("SIG")
    return ["--pdeathsig", name, "--", "/bin/sh", "-c", IF_PARENT_LIVES, str(os.getpid()), *argv]


def _everybody_may_enter(path: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
