"""Which code of the rules a settlement was made by.

The data of a call has a version and a hash of its own; the code that reads it has this one: SHA-256
of every module a result depends on, as it is. A comment counts too: whether a difference matters is
told by the result.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

_GRANTS: Final = Path(__file__).parents[1]
PACKAGES: Final = (
    "agreements/rules",
    "expenses/rules",
    "programmes/rules",
    "proposals/rules",
    "settlement/rules",
)
MODULES: Final = (
    "agreements/planning.py",
    "errors.py",
    "programmes/reading.py",
    "proposals/document.py",
    "proposals/errors.py",
    "settlement/outcome.py",
    "settlement/snapshot.py",
)


def sources() -> list[Path]:
    """The files a result depends on; a test follows their imports and misses none."""
    of_packages = [file for name in PACKAGES for file in (_GRANTS / name).glob("*.py")]
    return sorted([*of_packages, *(_GRANTS / name for name in MODULES)])


@lru_cache(maxsize=1)
def rules_sha256() -> str:
    """The digest of the code that runs here, computed once per process."""
    digest = hashlib.sha256()
    for file in sources():
        content = file.read_bytes()
        digest.update(f"{file.relative_to(_GRANTS).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
