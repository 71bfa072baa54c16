"""The criteria: which activity earns how much mileage, as data, and the arithmetic of it.

A version of the criteria is a data file (`data/2022.json`, for `parse_criteria`); the code knows
only three kinds of formula. All arithmetic is on integers: `floor((3.2e9/1e8)**0.6*1000)` is 7999
in binary floating point while the truth is 8000 (M-032).

Words: *points* are whole 점; *quantity* is what a formula is applied to: eligible won, or people
where the formula counts heads; a *claim* is one row of an application that passed every check.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache, lru_cache, partial
from typing import Any, Literal, NamedTuple

UNROUNDED_DIGITS = 6
_MILLION = 10**UNROUNDED_DIGITS


@dataclass(frozen=True, slots=True)
class Linear:
    """So many won earn one point.

    Of every formula, `scaled` gives the floor of `scale` times the exact result, and `describe`
    the calculation in Korean and English around the given words for the quantity.
    """

    won_per_point: int

    def scaled(self, quantity: int, scale: int) -> int:
        return quantity * scale // self.won_per_point

    def describe(self, ko: str, en: str) -> tuple[str, str]:
        return f"{ko} ÷ {self.won_per_point:,}원", f"{en} ÷ {self.won_per_point:,} won"


@dataclass(frozen=True, slots=True)
class Power:
    """(D / base)^exponent × points_at_base, a concave curve."""

    base_won: int
    exponent: Fraction
    points_at_base: int

    def scaled(self, quantity: int, scale: int) -> int:
        # floor(f × (D/B)^(p/q)) = floor of the q-th root of floor(f^q × D^p / B^p), for whole f.
        p, q = self.exponent.as_integer_ratio()
        factor = self.points_at_base * scale
        return _root(factor**q * quantity**p // self.base_won**p, q)

    def describe(self, ko: str, en: str) -> tuple[str, str]:
        power = f"^{_decimal(self.exponent)} × {self.points_at_base:,}"
        return f"({ko} ÷ {self.base_won:,}원){power}점", f"({en} ÷ {self.base_won:,} won){power}"


@dataclass(frozen=True, slots=True)
class PerHead:
    """So many points for each person."""

    points: int

    def scaled(self, quantity: int, scale: int) -> int:
        return quantity * self.points * scale

    def describe(self, ko: str, en: str) -> tuple[str, str]:
        return f"{self.points:,}점 × {ko}", f"{self.points:,} × {en}"


Formula = Linear | Power | PerHead


@dataclass(frozen=True, slots=True)
class EvidenceType:
    """A kind of document an applicant attaches."""

    code: str
    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class EvidenceRequirement:
    """One required document; any of the listed types fulfils it (M-010, M-030)."""

    any_of: tuple[EvidenceType, ...]

    @property
    def ko(self) -> str:
        return " 또는 ".join(kind.ko for kind in self.any_of)

    @property
    def en(self) -> str:
        return " or ".join(kind.en for kind in self.any_of)


@dataclass(frozen=True, slots=True)
class Restriction:
    """What a row must say to be eligible: `column` is one of `allowed`, or equals column `equals`.

    Otherwise the finding with the code `otherwise` is raised.
    """

    column: str
    allowed: frozenset[str]
    equals: str | None
    otherwise: str
    citation: str


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one of the fields earns mileage, in one version of the criteria (M-030).

    `amount` and `less` name the columns whose difference is the eligible won (None where heads
    are counted). `basis` says what is summed before the one rounding: all rows of a company in
    the application, or all deposits of a contract, ever (M-031). `reference` names the column of
    the reference date; with `paid_in_full` the contract's last deposit decides (M-033). `identity`
    names the columns that make two claims the same, `likeness` those that make them suspiciously
    alike (M-020). A claim must follow its reference date within `window_years` (M-022).
    """

    code: str
    version: str
    accrues_from: date
    window_years: int
    ko: str
    en: str
    formula: Formula
    basis: Literal["company", "contract"]
    amount: str | None
    less: str | None
    reference: str
    paid_in_full: bool
    vat_evidence: str | None
    evidence: tuple[EvidenceRequirement, ...]
    restrictions: tuple[Restriction, ...]
    identity: tuple[str, ...]
    likeness: tuple[str, ...]
    citation: str


@dataclass(frozen=True, slots=True)
class Criteria:
    """One version of the criteria, in force from `valid_from` until the next version's.

    Activities before `accrues_from` earn nothing (M-021).
    """

    version: str
    valid_from: date
    accrues_from: date
    citation: str
    evidence_types: Mapping[str, EvidenceType]
    fields: Mapping[str, FieldRule]


Claim = tuple[str, str | None, int]
"""One eligible row: whose (BRN), under which contract (None without one), and the quantity."""


class Posted(NamedTuple):
    """What earlier applications already posted for a contract.

    `deposited_won` is all money received, `eligible_won` what of it entered the formula.
    """

    deposited_won: int
    eligible_won: int
    points: int


class ContractPoints(NamedTuple):
    """The points of one contract: `points` = f(earlier + now) − points already posted."""

    contract: str
    quantity: int
    earlier: int
    points: int


@dataclass(frozen=True, slots=True)
class CompanyPoints:
    """One line of an application's summary (M-016); `contracts` is empty on the company basis."""

    brn: str
    rows: int
    quantity: int
    points: int
    contracts: tuple[ContractPoints, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an application earns: each company its points, the university their sum (M-019)."""

    companies: tuple[CompanyPoints, ...]

    @property
    def total(self) -> int:
        return sum(company.points for company in self.companies)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a quantity earns what it earns, in terms a person can recompute.

    `unrounded` has six decimals, truncated and exact as far as it goes. `base_won` and `exponent`
    are None where the formula has none.
    """

    field: str
    formula_ko: str
    formula_en: str
    quantity: int
    base_won: int | None
    exponent: str | None
    unrounded: str
    points: int
    version: str
    citation: str


def mileage(rule: FieldRule, quantity: int) -> int:
    """Whole points for eligible won (or people), rounded down once (M-031).

    Raises ValueError for a negative quantity: the checks let none through.
    """
    if quantity < 0:
        raise ValueError(f"a quantity cannot be negative: {quantity}")
    return rule.formula.scaled(quantity, 1)


def unrounded(rule: FieldRule, quantity: int) -> str:
    """The result before rounding, as a decimal string with six truncated decimals."""
    whole, rest = divmod(rule.formula.scaled(quantity, _MILLION), _MILLION)
    return f"{whole}.{rest:0{UNROUNDED_DIGITS}d}"


def explain(rule: FieldRule, quantity: int) -> Explanation:
    """The calculation behind `mileage(rule, quantity)`."""
    counts_heads = isinstance(rule.formula, PerHead)
    ko, en = rule.formula.describe(
        f"{quantity:,}{'명' if counts_heads else '원'}",
        f"{quantity:,} {'people' if counts_heads else 'won'}",
    )
    power = rule.formula if isinstance(rule.formula, Power) else None
    linear = rule.formula if isinstance(rule.formula, Linear) else None
    base = power.base_won if power else linear.won_per_point if linear else None
    return Explanation(
        field=rule.code,
        formula_ko=ko,
        formula_en=en,
        quantity=quantity,
        base_won=base,
        exponent=_decimal(power.exponent) if power else None,
        unrounded=unrounded(rule, quantity),
        points=mileage(rule, quantity),
        version=rule.version,
        citation=rule.citation,
    )


def assess(
    rule: FieldRule,
    claims: Iterable[Claim],
    posted: Mapping[tuple[str, str], Posted] | None = None,
) -> Assessment:
    """Sum claims as M-031 says, round once, in the order the companies first appear.

    `posted` gives, by (brn, contract), what earlier applications posted. A power curve is
    concave, so instalments taken one by one would earn more than the contract: an instalment
    earns f(all deposits) − points already posted, and never less than nothing.
    """
    companies: dict[str, dict[str | None, list[int]]] = {}
    by_contract = rule.basis == "contract"
    for brn, contract, quantity in claims:
        quantities = companies.setdefault(brn, {})
        quantities.setdefault(contract if by_contract else None, []).append(quantity)
    points_of = cache(partial(mileage, rule))  # fees and gifts are often of the same amount
    return Assessment(
        tuple(
            _company_points(points_of, brn, quantities, posted or {})
            for brn, quantities in companies.items()
        )
    )


def _company_points(
    points_of: Callable[[int], int],
    brn: str,
    quantities: Mapping[str | None, Sequence[int]],
    posted: Mapping[tuple[str, str], Posted],
) -> CompanyPoints:
    rows = sum(map(len, quantities.values()))
    quantity = sum(map(sum, quantities.values()))
    if None in quantities:
        return CompanyPoints(brn, rows, quantity, points_of(quantity), ())
    contracts = tuple(
        _contract_points(points_of, contract, sum(deposits), posted.get((brn, contract)))
        for contract, deposits in quantities.items()
        if contract is not None
    )
    return CompanyPoints(brn, rows, quantity, sum(line.points for line in contracts), contracts)


def _contract_points(
    points_of: Callable[[int], int], contract: str, quantity: int, earlier: Posted | None
) -> ContractPoints:
    if earlier is None:
        return ContractPoints(contract, quantity, 0, points_of(quantity))
    points = points_of(earlier.eligible_won + quantity) - earlier.points
    return ContractPoints(contract, quantity, earlier.eligible_won, max(0, points))


def criteria_on(versions: Sequence[Criteria], day: date) -> Criteria:
    """The version in force on a day; the oldest one for days before any was."""
    in_force = [version for version in versions if version.valid_from <= day]
    key = _valid_from
    return max(in_force, key=key) if in_force else min(versions, key=key)


def _valid_from(criteria: Criteria) -> date:
    return criteria.valid_from


def parse_criteria(data: Mapping[str, Any]) -> Criteria:
    """One version from its data file. Raises KeyError or ValueError where the file is wrong."""
    evidence_types = {
        code: EvidenceType(code, names["ko"], names["en"])
        for code, names in data["evidence_types"].items()
    }
    fields = [_parse_field(field, data, evidence_types) for field in data["fields"]]
    if len({field.code for field in fields}) != len(fields):
        raise ValueError(f"a field occurs twice in criteria {data['version']}")
    return Criteria(
        version=data["version"],
        valid_from=date.fromisoformat(data["valid_from"]),
        accrues_from=date.fromisoformat(data["accrues_from"]),
        citation=data["citation"],
        evidence_types=evidence_types,
        fields={field.code: field for field in fields},
    )


def _parse_field(
    data: Mapping[str, Any],
    version: Mapping[str, Any],
    evidence_types: Mapping[str, EvidenceType],
) -> FieldRule:
    basis: Literal["company", "contract"] = data["basis"]
    if basis not in ("company", "contract"):
        raise ValueError(f"unknown basis {basis!r} of {data['code']}")
    return FieldRule(
        code=data["code"],
        version=version["version"],
        accrues_from=date.fromisoformat(version["accrues_from"]),
        window_years=_positive(version["window_years"]),
        ko=data["ko"],
        en=data["en"],
        formula=_parse_formula(data["formula"]),
        basis=basis,
        amount=data["amount"],
        less=data["less"],
        reference=data["reference"],
        paid_in_full=data["paid_in_full"],
        vat_evidence=data["vat_evidence"],
        evidence=tuple(
            EvidenceRequirement(tuple(evidence_types[code] for code in codes))
            for codes in data["evidence"]
        ),
        restrictions=tuple(
            Restriction(
                column=item["column"],
                allowed=frozenset(item.get("allowed", ())),
                equals=item.get("equals"),
                otherwise=item["otherwise"],
                citation=item["citation"],
            )
            for item in data["restrictions"]
        ),
        identity=tuple(data["identity"]),
        likeness=tuple(data["likeness"]),
        citation=data["citation"],
    )


def _parse_formula(data: Mapping[str, Any]) -> Formula:
    kind = data["kind"]
    if kind == "linear":
        return Linear(_positive(data["won_per_point"]))
    if kind == "power":
        exponent = Fraction(data["exponent"])  # a string: "0.6" is exactly 3/5
        if not 0 < exponent <= 1:
            raise ValueError(f"an exponent is above 0 and at most 1: {exponent}")
        return Power(_positive(data["base_won"]), exponent, _positive(data["points_at_base"]))
    if kind == "per_head":
        return PerHead(_positive(data["points"]))
    raise ValueError(f"unknown kind of formula: {kind!r}")


def _positive(value: object) -> int:
    if type(value) is not int or value <= 0:
        raise ValueError(f"a parameter of a formula is a whole number above zero: {value!r}")
    return value


def _root(n: int, k: int) -> int:
    """The whole part of the k-th root of n ≥ 0."""
    return _descend(n, k, _not_below(n.bit_length(), k)) if n else 0


@lru_cache(4096)
def _not_below(bits: int, k: int) -> int:
    """A number not below the k-th root of any number of so many bits, and close to it."""
    return _descend(1 << bits, k, 1 << -(-bits // k)) + 1


def _descend(n: int, k: int, x: int) -> int:
    """Newton's method on integers, from an x not below the k-th root of n > 0."""
    while True:
        y = ((k - 1) * x + n // x ** (k - 1)) // k
        if y >= x:
            return x
        x = y


def _decimal(exponent: Fraction) -> str:
    """A terminating decimal such as "0.56" for 14/25; the fraction itself where none exists."""
    for digits in range(1, 7):
        scaled = exponent * 10**digits
        if scaled.denominator == 1:
            whole, rest = divmod(scaled.numerator, 10**digits)
            return f"{whole}.{rest:0{digits}d}"
    return str(exponent)
