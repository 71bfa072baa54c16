"""Changes of an agreed budget (G-033): what may never grow, and what needs approval first."""

from collections.abc import Iterator

from services.grants.errors import BUDGET_FROZEN, CHANGE_NEEDS_APPROVAL
from services.grants.programmes.rules import RuleSet, Text, cited, decimal_text
from services.grants.proposals.rules.budget import Totals
from shared.problems import Finding


def change_findings(rules: RuleSet, before: Totals, after: Totals) -> Iterator[Finding]:
    """Findings of replacing one agreed budget by another."""
    changes = rules.budget.changes
    frozen = cited(BUDGET_FROZEN, changes.rule, changes.citation)
    for pointer, name, old, new in _frozen_parts(rules, before, after):
        if new > old:
            yield frozen.at(
                pointer, name_ko=name.ko, name_en=name.en, before_won=old, after_won=new
            )
    approval = cited(CHANGE_NEEDS_APPROVAL, changes.rule, changes.tolerance_citation)
    for code in sorted(changes.tolerance_items):
        old, new = before.items[code].total, after.items[code].total
        if needs_approval(rules, old, new):
            yield approval.at(
                f"/items/{code}",
                name_ko=rules.items[code].name.ko,
                name_en=rules.items[code].name.en,
                before_won=old,
                after_won=new,
                percent=decimal_text(changes.tolerance_percent),
            )


def needs_approval(rules: RuleSet, planned_won: int, now_won: int) -> bool:
    """Whether a change reaches the tolerance: 15 % exactly does, 14.9 % does not."""
    percent = rules.budget.changes.tolerance_percent
    return now_won != planned_won and abs(now_won - planned_won) * 100 >= planned_won * percent


def _frozen_parts(
    rules: RuleSet, before: Totals, after: Totals
) -> Iterator[tuple[str, Text, int, int]]:
    changes = rules.budget.changes
    for code in sorted(changes.frozen_items):
        yield (
            f"/items/{code}",
            rules.items[code].name,
            before.items[code].total,
            after.items[code].total,
        )
    for code in sorted(changes.frozen_kinds):
        yield f"/kinds/{code}", rules.kinds[code].name, _kind(before, code), _kind(after, code)


def _kind(totals: Totals, code: str) -> int:
    return sum(won for line, won in totals.lines if line.kind == code)
