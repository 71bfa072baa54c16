"""What goes back to the agency, and whether the year was kept as agreed (G-033, G-043, G-049)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from services.grants.expenses.rules import Plan
from services.grants.programmes.rules import FUND_NAMES, FUNDS, Fund, Funds, RuleSet, cited
from shared.problems import Finding, FindingKind, Invalid

NEGATIVE_LINE = FindingKind(
    "NEGATIVE_LINE",
    "{name_ko}은 0원 이상이어야 합니다({given:,}원).",
    "{name_en} is 0 won or more ({given:,} won given).",
)
GRANT_OVERSPENT = FindingKind(
    "GRANT_OVERSPENT",
    "정부지원금 집행액 {spent_won:,}원이 교부액 {received_won:,}원보다 많습니다.",
    "{spent_won:,} won of grant were spent, {received_won:,} won were received.",
)
CARRY_OVER_EXCEEDS = FindingKind(
    "CARRY_OVER_EXCEEDS",
    "이월 승인액 {won:,}원이 집행 잔액 {unspent_won:,}원보다 많습니다.",
    "{won:,} won may be carried over, {unspent_won:,} won were not spent.",
)
CONTRIBUTION_SHORTFALL = FindingKind(
    "CONTRIBUTION_SHORTFALL",
    "인정된 {name_ko}이 협약액보다 {shortfall_won:,}원 모자랍니다.",
    "The recognised {name_en} is {shortfall_won:,} won short of the agreement.",
    level="warning",
)
BUDGET_MISMATCH = FindingKind(
    "BUDGET_MISMATCH",
    "사용명세서의 예산이 협약과 다릅니다: {name_ko} {reported_won:,}원, 협약 {planned_won:,}원",
    "The reported budget differs: {name_en} {reported_won:,} won, agreed {planned_won:,} won",
)
CLAIMS_UNCHECKED = FindingKind(
    "CLAIMS_UNCHECKED",
    "{service} 서비스가 응답하지 않아 마일리지와의 중복 여부를 확인하지 못했습니다.",
    "The {service} service did not answer: claims for mileage were not checked.",
    level="warning",
    rule="C-4",
)
USAGE_NOT_STATED = FindingKind(
    "USAGE_NOT_STATED",
    "사용실적보고에 {name_ko}이(가) 없어 확인하지 못했습니다.",
    "The usage report does not state {name_en}; it was not checked.",
    level="warning",
)
ACCOUNT_NOT_SEPARATE = FindingKind(
    "ACCOUNT_NOT_SEPARATE",
    "별도 계정으로 이자까지 관리하거나 단일자금 운용 확인서와 사유서를 제출해야 합니다: {name_ko}",
    "Keep a separate account with its interest, or file the confirmation of a single account"
    " with reasons: {name_en}",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What goes back to the agency (G-049), exact until the one cut at the end.

    `interest_share` is the grant's share of the interest. Disallowed private cash is not
    refunded; it is missing from the contribution (`findings`).
    """

    unspent_won: int
    carried_over_won: int
    disallowed_won: int
    interest_share: Fraction
    return_won: int
    cash_shortfall_won: int
    in_kind_shortfall_won: int
    findings: tuple[Finding, ...] = field(default=())


def statement(
    rules: RuleSet,
    *,
    agreed: Funds,
    received_grant_won: int,
    spent: Funds,
    disallowed: Funds,
    interest_won: int,
    carried_over_won: int = 0,
) -> Statement:
    """The return of a year; `Invalid` for negative lines and for more grant spent than received.

    return = (G received − G spent − G carried over) + disallowed G + interest × G ÷ (G + C)
    """
    _refuse_bad_lines(rules, received_grant_won, spent, disallowed, interest_won)
    rule = rules.spending.statement
    base = agreed.of(rule.interest_shared_by)
    share = Fraction(interest_won * agreed.grant, base) if base else Fraction(0)
    unspent = received_grant_won - spent.grant
    if not 0 <= carried_over_won <= unspent:
        finding = _of_statement(rules, CARRY_OVER_EXCEEDS)
        raise Invalid(
            errors=[finding.at("/carried_over", won=carried_over_won, unspent_won=unspent)]
        )
    exact = unspent - carried_over_won + disallowed.grant + share
    cash = max(0, agreed.cash - (spent.cash - disallowed.cash))
    in_kind = max(0, agreed.in_kind - (spent.in_kind - disallowed.in_kind))
    kind = _of_statement(rules, CONTRIBUTION_SHORTFALL)
    short: tuple[tuple[Fund, int], ...] = (("cash", cash), ("in_kind", in_kind))
    findings = tuple(
        kind.at(
            f"/contribution/{fund}",
            name_ko=FUND_NAMES[fund].ko,
            name_en=FUND_NAMES[fund].en,
            shortfall_won=won,
        )
        for fund, won in short
        if won
    )
    return Statement(
        unspent,
        carried_over_won,
        disallowed.grant,
        share,
        exact // rule.truncate_won * rule.truncate_won,
        cash,
        in_kind,
        findings,
    )


def budget_findings(plan: Plan, reported: Mapping[str, Funds]) -> Iterator[Finding]:
    """The budget a usage report states by item against the agreed one, in cash and in kind."""
    rules, changes = plan.rules, plan.rules.budget.changes
    kind = cited(BUDGET_MISMATCH, changes.rule, changes.citation)
    for code, item in rules.leaves.items():
        uses = {use.code for use in item.kinds}
        planned = sum((f for use, f in plan.planned.items() if use in uses), Funds())
        stated = reported.get(code, Funds())
        for fund in FUNDS:
            if stated.of([fund]) != planned.of([fund]):
                yield kind.at(
                    f"/items/{code}/{fund}",
                    name_ko=f"{item.name.ko} {FUND_NAMES[fund].ko}",
                    name_en=f"{item.name.en}, {FUND_NAMES[fund].en}",
                    reported_won=stated.of([fund]),
                    planned_won=planned.of([fund]),
                )


def account_findings(
    rules: RuleSet, *, separate: bool, interest_tracked: bool, documents: frozenset[str]
) -> Iterator[Finding]:
    """A separate account with its interest, or the papers of a single account (G-043)."""
    rule = rules.spending.account
    if separate and interest_tracked:
        return
    kind = cited(ACCOUNT_NOT_SEPARATE, rule.rule, rule.citation)
    needed = () if separate else rule.single_account_documents
    missing = [code for code in needed if code not in documents]
    for code in missing:
        name = rules.evidence_names[code]
        yield kind.at(f"/account/{code}", name_ko=name.ko, name_en=name.en)
    if not interest_tracked and not missing:
        yield kind.at("/account/interest", name_ko="이자 관리", name_en="interest")


def not_stated(rules: RuleSet, *, account: bool, budget: bool) -> Iterator[Finding]:
    """What a usage report leaves open is said, never taken for granted."""
    if not account:
        rule = rules.spending.account
        kind = cited(USAGE_NOT_STATED, rule.rule, rule.citation)
        yield kind.at("/account", name_ko="사업비 계정", name_en="the account of the money")
    if not budget:
        changes = rules.budget.changes
        kind = cited(USAGE_NOT_STATED, changes.rule, changes.citation)
        yield kind.at("/budget", name_ko="비목별 예산", name_en="the budget by item")


def claims_unchecked(services: Iterable[str]) -> Iterator[Finding]:
    """A service that did not say what it knows of our documents (C-4)."""
    return (CLAIMS_UNCHECKED.at("/claims", service=service) for service in services)


def _refuse_bad_lines(
    rules: RuleSet, received: int, spent: Funds, disallowed: Funds, interest: int
) -> None:
    findings = [
        _of_statement(rules, NEGATIVE_LINE).at(pointer, name_ko=ko, name_en=en, given=won)
        for pointer, ko, en, won in (
            ("/received", "교부액", "the grant received", received),
            ("/interest", "이자", "the interest", interest),
            *((f"/spent/{f}", "집행액", "what was spent", spent.of([f])) for f in FUNDS),
            *(
                (f"/disallowed/{f}", "불인정액", "what is disallowed", disallowed.of([f]))
                for f in FUNDS
            ),
        )
        if won < 0
    ]
    if spent.grant > received:
        findings.append(
            _of_statement(rules, GRANT_OVERSPENT).at(
                "/spent/grant", spent_won=spent.grant, received_won=received
            )
        )
    if findings:
        raise Invalid(errors=findings)


def _of_statement(rules: RuleSet, kind: FindingKind) -> FindingKind:
    return cited(kind, rules.spending.statement.rule, rules.spending.statement.citation)
