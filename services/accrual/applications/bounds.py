"""How many findings one answer carries. Pure."""

from collections.abc import Sequence

from services.accrual.applications.errors import MORE_FINDINGS
from shared.problems import Finding

MAX_FINDINGS = 1_000


def bounded(
    findings: Sequence[Finding], most: int = MAX_FINDINGS, *, total: int | None = None
) -> list[Finding]:
    """At most so many findings, in their order, and one more that counts the others.

    Errors stay before warnings, and what concerns the whole before what concerns a row. Five
    thousand rows may be wrong in every cell. Nothing is lost: the others are found again once the
    first are mended, and the marked copy of a sheet lists all. `total` is how many there are,
    where those given were bounded before.
    """
    if len(findings) <= most:
        return list(findings)

    def weight(index: int) -> tuple[bool, bool]:
        return not findings[index].is_error, findings[index].row is not None

    kept = sorted(sorted(range(len(findings)), key=weight)[:most])
    total = total or len(findings)
    more = MORE_FINDINGS.at("", count=total - most, total=total)
    return [*(findings[index] for index in kept), more]
