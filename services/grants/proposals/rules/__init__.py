"""The rules of proposals: `check_budget` for the budget, the rest for the filing around it.

The same functions serve the live preview while typing, the gate at submission, the pre-review
and an amendment; they know no clock and no database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.grants.errors import (
    AMOUNT_NEGATIVE,
    EXTERNAL_PAY_INKIND,
    FUND_NOT_ALLOWED,
    INTERNAL_PAY_CASH,
    ITEM_UNKNOWN,
    TOTAL_MISMATCH,
)
from services.grants.programmes.rules import FUND_NAMES, FUNDS, RuleSet, Text, cited
from services.grants.proposals.errors import (
    GOODS_MISMATCH,
)
from services.grants.proposals.rules.budget import (
    Asset,
    Budget,
    Career,
    Goods,
    Line,
    OtherProject,
    Pay,
    Person,
    Role,
    Totals,
    line_won,
    monthly_rates,
    totals,
)
from services.grants.proposals.rules.caps import Meter, meters, percent_limit, remarks
from services.grants.proposals.rules.changes import change_findings, needs_approval
from services.grants.proposals.rules.filing import (
    Applicant,
    Partner,
    Pledge,
    School,
    completion_findings,
    crn_finding,
    document_findings,
    duty_findings,
    eligibility_findings,
    pledge_findings,
    receipt_finding,
    text_findings,
)
from services.grants.proposals.rules.form import form_findings, shape_findings
from services.grants.proposals.rules.participation import Commitment, Month, Source, participation
from services.grants.proposals.rules.people import grade_of, people_findings, proven_grade
from shared.problems import Finding

__all__ = [
    "Applicant",
    "Asset",
    "Budget",
    "BudgetCheck",
    "Career",
    "Commitment",
    "Goods",
    "Line",
    "Meter",
    "Month",
    "OtherProject",
    "Partner",
    "Pay",
    "Person",
    "Pledge",
    "Role",
    "School",
    "Source",
    "Totals",
    "change_findings",
    "check_budget",
    "completion_findings",
    "crn_finding",
    "document_findings",
    "duty_findings",
    "eligibility_findings",
    "form_findings",
    "grade_of",
    "line_won",
    "meters",
    "monthly_rates",
    "needs_approval",
    "participation",
    "people_findings",
    "percent_limit",
    "pledge_findings",
    "proven_grade",
    "receipt_finding",
    "remarks",
    "shape_findings",
    "text_findings",
    "totals",
]

_WHOLE = Text("총계", "the whole")


@dataclass(frozen=True, slots=True)
class BudgetCheck:
    """What a check of a budget says: the sums, every cap's meter, and all findings."""

    totals: Totals
    meters: tuple[Meter, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not any(finding.is_error for finding in self.findings)


def check_budget(
    rules: RuleSet, budget: Budget, commitments: Sequence[Commitment] = ()
) -> BudgetCheck:
    """A budget against every rule of the call that concerns it (G-013, G-020 … G-030), with what
    its people give to other projects here."""
    sums = totals(rules, budget)
    gauges = meters(sums)
    findings = (
        *_line_findings(rules, budget),
        *_total_findings(rules, budget, sums),
        *(meter.finding for meter in gauges if meter.finding),
        *remarks(sums),
        *people_findings(rules, budget, commitments),
    )
    return BudgetCheck(sums, gauges, findings)


def _line_findings(rules: RuleSet, budget: Budget) -> Iterator[Finding]:
    for index, line in enumerate(budget.lines):
        pointer = f"/lines/{index}"
        if line.exact_won < 0:
            yield AMOUNT_NEGATIVE.at(f"{pointer}/amount_won", amount_won=int(line.exact_won))
        item = rules.leaves.get(line.item)
        if item is None or rules.item_of.get(line.kind) != line.item:
            yield ITEM_UNKNOWN.at(f"{pointer}/kind", item=line.item, kind=line.kind)
        elif line.fund not in item.funds:
            kind = FUND_NOT_ALLOWED
            if item.role == "external_pay":
                kind = EXTERNAL_PAY_INKIND
            elif item.role == "internal_pay":
                kind = INTERNAL_PAY_CASH
            fund = FUND_NAMES[line.fund]
            yield cited(kind, rules.budget.funds_rule, item.citation).at(
                f"{pointer}/fund",
                name_ko=item.name.ko,
                name_en=item.name.en,
                fund_ko=fund.ko,
                fund_en=fund.en,
            )
        goods = line.goods
        if goods and goods.deal == "purchase" and goods.quantity and goods.unit_price_won:
            won = goods.quantity * goods.unit_price_won
            if won != line.exact_won:
                yield GOODS_MISMATCH.at(
                    f"{pointer}/amount_won",
                    name=line.name or line.kind,
                    quantity=goods.quantity,
                    price_won=goods.unit_price_won,
                    amount_won=int(line.exact_won),
                    suggestion=str(won),
                )


def _total_findings(rules: RuleSet, budget: Budget, sums: Totals) -> Iterator[Finding]:
    """Totals a form states against ours: by line, by item and source of funds, and the whole."""
    for index, (line, won) in enumerate(sums.lines):
        if line.declared_won is not None and line.declared_won != won:
            name = rules.kinds[line.kind].name if line.kind in rules.kinds else _WHOLE
            yield _mismatch(rules, f"/lines/{index}/declared_won", name, line.declared_won, won)
    for code, declared in budget.declared.items():
        computed = sums.whole if code == "total" else sums.items.get(code)
        if computed is None:
            yield ITEM_UNKNOWN.at(f"/declared/{code}", item=code, kind="-")
            continue
        name = _WHOLE if code == "total" else rules.items[code].name
        for fund in FUNDS:
            pair = declared.of([fund]), computed.of([fund])
            if pair[0] != pair[1]:
                yield _mismatch(rules, f"/declared/{code}/{fund}", name, *pair)


def _mismatch(rules: RuleSet, pointer: str, name: Text, declared: int, computed: int) -> Finding:
    return cited(TOTAL_MISMATCH, rules.budget.unit_rule, rules.budget.unit_citation).at(
        pointer,
        name_ko=name.ko,
        name_en=name.en,
        declared_won=declared,
        computed_won=computed,
    )
