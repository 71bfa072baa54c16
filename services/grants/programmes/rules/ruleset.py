"""The rule set as a whole, with the look-ups every capability needs, and its consistency check."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from services.grants.errors import RULE_SET_REFERENCE, RULE_SET_SHAPE, RuleSetInvalid
from services.grants.programmes.reading import decode, read
from services.grants.programmes.rules.budgeting import (
    Budget,
    FeeUnit,
    Item,
    Qualification,
    SpendingKind,
    TravelRate,
)
from services.grants.programmes.rules.calling import Call
from services.grants.programmes.rules.forming import Column, Form, Part
from services.grants.programmes.rules.scoring import Evaluation, sheet_findings
from services.grants.programmes.rules.spending import Exclusion, Need, Spending
from services.grants.programmes.rules.terms import Selector, Text
from shared.problems import Finding


@dataclass(frozen=True, eq=False)
class RuleSet:
    """One version of one call's rules. Not slotted: the look-ups below are kept once made.

    Compared by identity, so that what is derived from a rule set can be kept beside it.
    """

    code: str
    version: int
    valid_from: date
    name: Text
    ministry: Text
    agency: Text
    sources: Mapping[str, Text]
    call: Call
    budget: Budget
    spending: Spending
    evaluation: Evaluation
    form: Form = field(default_factory=Form)

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Every node of the budget tree by code, parents before children."""
        return {item.code: item for root in self.budget.items for item in root.walk()}

    @cached_property
    def leaves(self) -> Mapping[str, Item]:
        return {code: item for code, item in self.items.items() if not item.children}

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """The branch each item hangs on."""
        return {child.code: item.code for item in self.items.values() for child in item.children}

    @cached_property
    def kinds(self) -> Mapping[str, SpendingKind]:
        return {kind.code: kind for item in self.leaves.values() for kind in item.kinds}

    @cached_property
    def item_of(self) -> Mapping[str, str]:
        """The item each kind belongs to."""
        return {kind.code: item.code for item in self.leaves.values() for kind in item.kinds}

    @cached_property
    def evidence_names(self) -> Mapping[str, Text]:
        return {kind.code: kind.name for kind in self.spending.evidence_kinds}

    @cached_property
    def fact_names(self) -> Mapping[str, Text]:
        return {fact.code: fact.name for fact in self.spending.facts}

    @cached_property
    def parts(self) -> Mapping[str, Part]:
        """The parts of the form an applicant writes, by code, in the form's order."""
        return {part.code: part for part in self.form.parts() if part.written}

    @cached_property
    def duty_names(self) -> Mapping[str, Text]:
        return {duty.code: duty.name for duty in self.call.duties}

    @cached_property
    def monthly_won(self) -> Mapping[str, int]:
        """The monthly pay of each grade."""
        return {grade.code: grade.monthly_won for grade in self.budget.pay.grades}


def parse(text: str | bytes) -> RuleSet:
    """A rule set from JSON text; `RuleSetInvalid` lists everything wrong with it by pointer."""
    rule_set = read(RuleSet, decode(text))
    findings = list(_inconsistencies(rule_set))
    if findings:
        raise RuleSetInvalid(errors=findings)
    return rule_set


def _inconsistencies(rules: RuleSet) -> Iterator[Finding]:
    yield from _duplicates(rules)
    for check in (_references, _years, _counters, _recovery, _sheet, _form):
        yield from check(rules)


def _duplicates(rules: RuleSet) -> Iterator[Finding]:
    nodes = [item for root in rules.budget.items for item in root.walk()]
    codes = {
        "/budget/items": [node.code for node in nodes],
        "/budget/items/kinds": [kind.code for node in nodes for kind in node.kinds],
        "/spending/evidence_kinds": [kind.code for kind in rules.spending.evidence_kinds],
        "/spending/facts": [fact.code for fact in rules.spending.facts],
        "/form/sections": [section.code for section in rules.form.sections],
        "/form/sections/parts": [part.code for part in rules.form.parts()],
    }
    for pointer, given in codes.items():
        for code in sorted({code for code in given if given.count(code) > 1}):
            yield RULE_SET_SHAPE.at(pointer, problem=f"{code} given twice")


def _references(rules: RuleSet) -> Iterator[Finding]:
    """Every code used somewhere must be defined: items, kinds, grades, evidence, facts, grounds."""
    known: dict[str, set[Any]] = {
        "item": set(rules.leaves),
        "kind": set(rules.kinds),
        "grade": set(rules.monthly_won),
        "evidence": set(rules.evidence_names),
        "fact": set(rules.fact_names),
        "ground": {ground.number for ground in rules.spending.recovery.grounds} | {0},
    }

    def unknown(what: str, pointer: str, *codes: Any) -> Iterator[Finding]:
        for code in codes:
            if code is not None and code not in known[what]:
                yield RULE_SET_REFERENCE.at(pointer, what=what, code=code)

    for pointer, part in _walk(rules, ""):
        match part:
            case Selector():
                yield from unknown("item", pointer, *sorted(part.items))
                yield from unknown("kind", pointer, *sorted(part.kinds | part.except_kinds))
            case Need():
                yield from unknown("evidence", pointer, *part.any_of)
                yield from unknown("fact", pointer, part.when.fact if part.when else None)
            case Qualification() | TravelRate():
                yield from unknown("grade", pointer, part.grade)
            case FeeUnit():
                yield from unknown("grade", pointer, *part.by_grade)
            case Exclusion():
                yield from unknown("fact", pointer, *sorted(part.facts))
            case _:
                pass
        yield from unknown("ground", pointer, getattr(part, "ground", None))
    pay = rules.budget.pay
    yield from unknown("grade", "/budget/pay/posts", *pay.posts.values())
    yield from unknown("grade", "/budget/pay/courses", *pay.courses.values())
    changes = rules.budget.changes
    yield from unknown("item", "/budget/changes", *changes.frozen_items, *changes.tolerance_items)
    yield from unknown("kind", "/budget/changes", *changes.frozen_kinds)
    yield from unknown(
        "evidence", "/spending/account", *rules.spending.account.single_account_documents
    )


def _walk(part: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every dataclass inside a rule set, with its pointer."""
    if is_dataclass(part):
        yield pointer, part
        for field in fields(part):
            yield from _walk(getattr(part, field.name), f"{pointer}/{field.name}")
    elif isinstance(part, tuple):
        for index, value in enumerate(part):
            yield from _walk(value, f"{pointer}/{index}")
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from _walk(value, f"{pointer}/{key}")


def _years(rules: RuleSet) -> Iterator[Finding]:
    call = rules.call
    expected = call.programme.start
    for index, year in enumerate(call.years):
        if year.start != expected or year.end < year.start:
            yield RULE_SET_SHAPE.at(f"/call/years/{index}", problem=f"must start on {expected}")
        expected = year.end + timedelta(days=1)
    if not call.years or call.years[-1].end != call.programme.end:
        yield RULE_SET_SHAPE.at("/call/years", problem="must end with the programme")
    if call.receipt.opens_at >= call.receipt.closes_at:
        yield RULE_SET_SHAPE.at("/call/receipt", problem="closes before it opens")


def _counters(rules: RuleSet) -> Iterator[Finding]:
    """Counters count fields of records there are; the certificate's conditions have counters."""
    kinds = {
        kind.code: {field.code: field.type for field in kind.fields} for kind in rules.call.records
    }
    for place, counter in enumerate(rules.call.counters):
        pointer, types = f"/call/counters/{place}", kinds.get(counter.record)
        for code in sorted({counter.record, *counter.joined} - kinds.keys()):
            yield RULE_SET_REFERENCE.at(pointer, what="record", code=code)
        if types is None:
            continue
        used = [(code, "flag") for code in counter.flags]
        used += [(code, "number") for code in counter.at_least]
        used += [(code, "choice") for code in counter.among]
        used += [(counter.of, "number")] if counter.of is not None else []
        for code, wanted in sorted(used):
            if types.get(code) != wanted:
                yield RULE_SET_REFERENCE.at(pointer, what=f"{wanted} field", code=code)
        if (counter.measure == "records") != (counter.of is None):
            yield RULE_SET_SHAPE.at(pointer, problem="only a sum or a least has a field to take")
    if rules.call.counters:
        completion, known = rules.call.completion, {c.code for c in rules.call.counters}
        needed = {*completion.any_of, *(duty.code for duty in completion.at_least)}
        for code in sorted(needed - known):
            yield RULE_SET_REFERENCE.at("/call/completion", what="counter", code=code)


def _recovery(rules: RuleSet) -> Iterator[Finding]:
    recovery = rules.spending.recovery
    if sorted(recovery.order) != sorted(ground.number for ground in recovery.grounds):
        yield RULE_SET_SHAPE.at("/spending/recovery/order", problem="must list each ground once")
    if rules.spending.statement.truncate_won < 1 or rules.budget.unit_won < 1:
        yield RULE_SET_SHAPE.at("/spending/statement", problem="units are at least 1 won")


def _sheet(rules: RuleSet) -> Iterator[Finding]:
    return sheet_findings(rules.evaluation)


def _form(rules: RuleSet) -> Iterator[Finding]:
    for part in rules.form.parts():
        at = f"/form/{part.code}"
        for problem in _part_problems(part):
            yield RULE_SET_SHAPE.at(at, problem=problem)
        for code in part.items:
            if code not in rules.items:
                yield RULE_SET_REFERENCE.at(at, what="item", code=code)


def _part_problems(part: Part) -> Iterator[str]:
    if (part.kind == "view") != (part.view is not None):
        yield "a view, and only it, says what it shows"
    if bool(part.columns) != (part.kind in ("record", "table")):
        yield "records and tables, and only they, have columns"
    if part.rows and part.kind != "table":
        yield "only tables have rows"
    entered = {column.code: column for column in part.entered}
    for codes in ([c.code for c in part.columns], [row.code for row in part.rows]):
        if len(set(codes)) < len(codes):
            yield "a code is given twice"
    for column in part.columns:
        yield from _column_problems(column, entered)


def _column_problems(column: Column, entered: Mapping[str, Column]) -> Iterator[str]:
    if (column.type == "choice") != bool(column.options):
        yield f"{column.code}: a choice, and only it, has options"
    numbers = {code for code, other in entered.items() if other.type in ("count", "won")}
    if not numbers.issuperset((*column.total_of, *column.share_of)):
        yield f"{column.code}: computed of columns that are no numbers"
    if column.share_of and len(column.share_of) != 2:
        yield f"{column.code}: a share is of two columns"
    if column.summed and column.type not in ("count", "won"):
        yield f"{column.code}: only numbers are summed"
