"""Caps over a budget: a meter for every one, and a finding where it is exceeded (G-020 … G-029).

Everything is compared in whole won by integers. Caps are inclusive ("이내", "이하"), and the
percentage itself is never rounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from services.grants.errors import (
    ASSET_CAP_EXCEEDED,
    BIG_PURCHASE,
    CAP_EXCEEDED,
    CAP_REMARK,
    GRANT_LIMIT,
    HEAD_CAP_EXCEEDED,
    PRICE_MISSING,
    PRIVATE_SHARE_SHORT,
)
from services.grants.programmes.rules import (
    AssetCap,
    HeadCap,
    ShareCap,
    Text,
    cited,
    decimal_text,
    share_text,
)
from services.grants.proposals.rules.budget import Asset, Line, Totals
from shared.problems import Finding, FindingKind


@dataclass(frozen=True, slots=True)
class Meter:
    """How far a cap is used: numerator over denominator in won, against its limit.

    `percent` is the cap's percentage (None for caps per head), `used_percent` what is used of
    the denominator, both as text. `finding` is set when the cap is exceeded.
    """

    rule: str
    citation: str
    name: Text
    pointer: str
    numerator_won: int
    denominator_won: int
    limit_won: int
    percent: str | None
    used_percent: str
    finding: Finding | None = None


class _Cap(Protocol):
    @property
    def rule(self) -> str: ...
    @property
    def citation(self) -> str: ...
    @property
    def name(self) -> Text: ...


def meters(totals: Totals) -> tuple[Meter, ...]:
    """Every cap of the rule set applied to a budget, in the order of the rule set."""
    budget = totals.rules.budget
    return (
        _grant_limit(totals),
        _grant_share(totals),
        *(_share(cap, totals) for cap in budget.share_caps),
        *(meter for head in budget.head_caps for meter in _heads(head, totals)),
        *(meter for asset in budget.asset_caps for meter in _assets(asset, totals)),
    )


def percent_limit(percent: Fraction, base_won: int) -> int:
    """The most whole won within a percentage: comparing integers with it is exact."""
    return base_won * percent.numerator // (100 * percent.denominator)


def remarks(totals: Totals) -> Iterator[Finding]:
    """Findings that are not a cap: missing prices, and purchases that need a report (G-034)."""
    big = totals.rules.budget.big_purchase
    for index, (line, _) in enumerate(totals.lines):
        for cap in totals.rules.budget.asset_caps:
            if cap.part.takes(line.item, line.kind, line.fund) and _price(line) is None:
                yield cited(PRICE_MISSING, cap.rule, cap.citation).at(
                    f"/lines/{index}/asset/price_won",
                    name_ko=cap.name.ko,
                    name_en=cap.name.en,
                    price_ko=cap.price_name.ko,
                    price_en=cap.price_name.en,
                )
        if big.part.takes(line.item, line.kind, line.fund):
            goods = line.goods.unit_price_won if line.goods else None
            price = _price(line) or goods or line.amount_won
            if price >= big.unit_price_from_won:
                yield cited(BIG_PURCHASE, big.rule, big.citation).at(
                    f"/lines/{index}",
                    amount_won=price,
                    limit_won=big.unit_price_from_won,
                    months=big.report_within_months,
                )


def _grant_limit(totals: Totals) -> Meter:
    funding, grant = totals.rules.budget.funding, totals.whole.grant
    limit = funding.grant_limit_won
    pointer = "/totals/grant"
    finding = None
    if grant > limit:
        kind = cited(GRANT_LIMIT, funding.limit_rule, funding.limit_citation)
        finding = kind.at(pointer, **_amounts(grant, limit, limit))
    return Meter(
        funding.limit_rule,
        funding.limit_citation,
        funding.name,
        pointer,
        numerator_won=grant,
        denominator_won=limit,
        limit_won=limit,
        percent="100",
        used_percent=share_text(grant, limit),
        finding=finding,
    )


def _grant_share(totals: Totals) -> Meter:
    """G-020: G within its percentage of T, asked as the least P, which forms state in whole units.

    P is enough from ⌊G × (100 − p) / p⌋ units on: with G = 300,000천원 that is 128,571천원, though
    the exact quotient is 128,571.43. The meter's limit is the largest grant this P carries.
    """
    funding, unit = totals.rules.budget.funding, totals.rules.budget.unit_won
    grant, private = totals.whole.grant, totals.whole.private
    ratio = (100 - funding.grant_percent) / funding.grant_percent
    required = grant // unit * ratio.numerator // ratio.denominator * unit
    pointer = "/totals/private"
    finding = None
    if private < required:
        finding = cited(PRIVATE_SHARE_SHORT, funding.rule, funding.citation).at(
            pointer,
            **_amounts(private, required, grant),
            required_won=required,
            required_thousand=required // 1000,
            percent=decimal_text(funding.grant_percent),
        )
    limit = _largest_grant(private // unit, ratio) * unit if ratio else funding.grant_limit_won
    return Meter(
        funding.rule,
        funding.citation,
        funding.name,
        pointer,
        numerator_won=grant,
        denominator_won=totals.whole.total,
        limit_won=limit,
        percent=decimal_text(funding.grant_percent),
        used_percent=share_text(grant, totals.whole.total),
        finding=finding,
    )


def _largest_grant(private_units: int, ratio: Fraction) -> int:
    """The largest g with ⌊g × ratio⌋ ≤ private_units."""
    return -((private_units + 1) * ratio.denominator // -ratio.numerator) - 1


def _share(cap: ShareCap, totals: Totals) -> Meter:
    amount, base = totals.part(cap.part), totals.whole.of(cap.base)
    return _meter(
        cap,
        CAP_EXCEEDED if cap.level == "error" else CAP_REMARK,
        f"/caps/{cap.rule}",
        amount,
        base,
        percent_limit(cap.percent, base),
        percent=decimal_text(cap.percent),
        base_ko=cap.base_name.ko,
        base_en=cap.base_name.en,
        most_won=_most(cap, totals, amount, base),
    )


def _most(cap: ShareCap, totals: Totals, amount: int, base: int) -> int:
    """What the part may come to while all else stays, in whole units: less than the limit where the
    part counts in the base of its own cap, which sinks with it."""
    unit = totals.rules.budget.unit_won
    limit = percent_limit(cap.percent, base) // unit * unit
    within = sum(
        won
        for line, won in totals.lines
        if line.fund in cap.base and cap.part.takes(line.item, line.kind, line.fund)
    )
    if within < amount or cap.percent >= 100:
        return limit
    return int((base - within) * cap.percent / (100 - cap.percent)) // unit * unit


def _heads(cap: HeadCap, totals: Totals) -> Iterator[Meter]:
    """One meter a person where lines name people, otherwise one a line with its count of heads."""
    groups: dict[str, tuple[int, int, str]] = {}
    for index, (line, won) in enumerate(totals.lines):
        if cap.part.takes(line.item, line.kind, line.fund):
            key = f"person {line.pay.person}" if line.pay else f"line {index}"
            before, _, pointer = groups.get(key, (0, 0, f"/lines/{index}"))
            groups[key] = (before + won, 1 if line.pay else line.heads, pointer)
    for amount, heads, pointer in groups.values():
        limit = heads * cap.limit_won
        yield _meter(
            cap,
            HEAD_CAP_EXCEEDED,
            pointer,
            amount,
            limit,
            limit,
            heads=heads,
            head_won=cap.limit_won,
            head_ko=cap.head.ko,
            head_en=cap.head.en,
        )


def _assets(cap: AssetCap, totals: Totals) -> Iterator[Meter]:
    """One meter an asset: what this plan counts of it, with what other projects already count."""
    groups: dict[str, tuple[int, Asset, str]] = {}
    for index, (line, won) in enumerate(totals.lines):
        asset = line.asset
        if (
            asset
            and asset.price_won is not None
            and cap.part.takes(line.item, line.kind, line.fund)
        ):
            before, _, pointer = groups.get(asset.ref, (0, asset, f"/lines/{index}"))
            groups[asset.ref] = (before + won, asset, pointer)
    for planned, asset, pointer in groups.values():
        price = (asset.price_won or 0) * asset.quantity
        yield _meter(
            cap,
            ASSET_CAP_EXCEEDED,
            pointer,
            planned + asset.pledged_elsewhere_won,
            price,
            percent_limit(cap.percent, price),
            percent=decimal_text(cap.percent),
            pledged_elsewhere_won=asset.pledged_elsewhere_won,
            price_ko=cap.price_name.ko,
            price_en=cap.price_name.en,
        )


def _meter(
    cap: _Cap, kind: FindingKind, pointer: str, amount: int, base: int, limit: int, **more: Any
) -> Meter:
    finding = None
    if amount > limit:
        finding = cited(kind, cap.rule, cap.citation).at(
            pointer,
            **_amounts(amount, limit, base),
            name_ko=cap.name.ko,
            name_en=cap.name.en,
            **more,
        )
    return Meter(
        cap.rule,
        cap.citation,
        cap.name,
        pointer,
        numerator_won=amount,
        denominator_won=base,
        limit_won=limit,
        percent=more.get("percent"),
        used_percent=share_text(amount, base),
        finding=finding,
    )


def _amounts(amount: int, limit: int, base: int) -> dict[str, Any]:
    """What every cap finding carries; forms speak of thousands (천원), so those are given too."""
    return {
        "amount_won": amount,
        "limit_won": limit,
        "base_won": base,
        "excess_won": amount - limit,
        "amount_thousand": amount // 1000,
        "limit_thousand": limit // 1000,
    }


def _price(line: Line) -> int | None:
    return line.asset.price_won if line.asset else None
