"""People of a budget: rates over all projects, operators, grades and pay (G-013, G-030)."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from services.grants.errors import (
    GRADE_MISSING,
    GRADE_UNPROVEN,
    MONTHS_OUTSIDE,
    OPERATOR_COUNT,
    OPERATOR_EMPLOYED,
    PAY_GRADE_EXCEEDED,
    PERSON_UNKNOWN,
    RATE_DECIMAL,
    RATE_RANGE,
    RATE_UNDER_50,
)
from services.grants.programmes.rules import (
    Period,
    RuleSet,
    cited,
    decimal_text,
    month_of,
    month_text,
    months_of,
)
from services.grants.proposals.errors import (
    PERSON_TWICE,
    RESEARCHER_NO_FORM,
)
from services.grants.proposals.rules.budget import Budget, Career, Pay, Person, monthly_rates
from services.grants.proposals.rules.participation import Commitment, sum_findings
from shared.problems import Finding

RESEARCHER_NO = re.compile(r"[0-9]{8}")


def people_findings(
    rules: RuleSet, budget: Budget, commitments: Sequence[Commitment] = ()
) -> Iterator[Finding]:
    """Everything about people that breaks a rule, by line and by person."""
    people = {person.ref: person for person in budget.people}
    yield from _identity_findings(rules, budget)
    for index, line in enumerate(budget.lines):
        if line.pay:
            yield from _rate_findings(rules, line.pay, budget.year, f"/lines/{index}/pay")
            if line.pay.person not in people:
                yield PERSON_UNKNOWN.at(f"/lines/{index}/pay/person", person=line.pay.person)
            elif (kind := rules.kinds.get(line.kind)) and kind.pay == "grade":
                person = people[line.pay.person]
                yield from _grade_findings(rules, budget, person, line.pay, f"/lines/{index}/pay")
    yield from sum_findings(rules, budget, commitments)
    yield from _operator_findings(rules, budget)


def grade_of(rules: RuleSet, person: Person) -> str | None:
    """The grade a person is paid by: as given, or by the post or the course of study."""
    pay = rules.budget.pay
    if person.grade in rules.monthly_won:
        return person.grade
    return pay.posts.get(person.post or "") or pay.courses.get(person.course or "")


def proven_grade(rules: RuleSet, career: Career) -> str | None:
    """The highest grade a career shows by the call's table, None if it shows none."""
    shown = {
        row.grade
        for row in rules.budget.pay.qualifications
        if row.sector == career.sector
        and (row.rank is None or row.rank == career.rank)
        and (row.degree is None or row.degree == career.degree)
        and row.years <= career.years
    }
    return next((code for code in rules.monthly_won if code in shown), None)


def _rate_findings(rules: RuleSet, pay: Pay, year: Period, pointer: str) -> Iterator[Finding]:
    participation = rules.budget.pay.participation
    rate = decimal_text(pay.rate, 6)
    if (pay.rate * 10**participation.decimals).denominator != 1:
        kind = cited(RATE_DECIMAL, participation.rule, participation.decimals_citation)
        yield kind.at(f"{pointer}/rate", rate=rate, decimals=participation.decimals)
    if not 0 < pay.rate <= participation.at_most:
        kind = cited(RATE_RANGE, participation.rule, participation.citation)
        yield kind.at(f"{pointer}/rate", rate=rate, limit=decimal_text(participation.at_most))
    months = months_of(pay.start, pay.months)
    if pay.months < 1 or months[0] < month_of(year.start) or months[-1] > month_of(year.end):
        first, final = month_text(months.start), month_text(months.stop - 1)
        yield MONTHS_OUTSIDE.at(f"{pointer}/months", first=first, last=final)


def _grade_findings(
    rules: RuleSet, budget: Budget, person: Person, pay: Pay, pointer: str
) -> Iterator[Finding]:
    table = rules.budget.pay
    if table.own_rule in budget.own_rules:
        return
    grade = grade_of(rules, person)
    if grade is None:
        kind = cited(GRADE_MISSING, table.rule, table.citation)
        yield kind.at(f"{pointer}/person", name=person.name)
        return
    limit = rules.monthly_won[grade]
    name = next(row.name for row in table.grades if row.code == grade)
    if pay.monthly_won > limit:
        amount = int(pay.monthly_won)
        yield cited(PAY_GRADE_EXCEEDED, table.rule, table.citation).at(
            f"{pointer}/monthly_won",
            amount_won=amount,
            limit_won=limit,
            amount_thousand=amount // 1000,
            limit_thousand=limit // 1000,
            grade_ko=name.ko,
            grade_en=name.en,
        )
    if person.career and not person.equivalent_note:
        order = list(rules.monthly_won)
        shown = proven_grade(rules, person.career)
        if shown is None or order.index(shown) > order.index(grade):
            yield cited(GRADE_UNPROVEN, table.rule, table.citation).at(
                f"/people/{person.ref}", name=person.name, grade_ko=name.ko, grade_en=name.en
            )


def _identity_findings(rules: RuleSet, budget: Budget) -> Iterator[Finding]:
    """Who is on the list twice or cannot be told apart, and what their other projects state."""
    participation = rules.budget.pay.participation
    refs: set[str] = set()
    numbers: set[str] = set()
    for place, person in enumerate(budget.people):
        at = f"/people/{place}"
        if person.ref in refs:
            yield PERSON_TWICE.at(f"{at}/ref", name=person.name, number=person.ref)
        refs.add(person.ref)
        number = person.researcher_no
        if number is not None and not RESEARCHER_NO.fullmatch(number):
            digits = "".join(filter(str.isdecimal, number))
            known = RESEARCHER_NO.fullmatch(digits)
            yield RESEARCHER_NO_FORM.at(
                f"{at}/researcher_no", given=number[:40], suggestion=digits if known else None
            )
        elif number in numbers:
            yield PERSON_TWICE.at(f"{at}/researcher_no", name=person.name, number=number)
        numbers |= {number} if number else set()
        for other, project in enumerate(person.other_projects):
            if (project.rate * 10**participation.decimals).denominator != 1:
                yield cited(RATE_DECIMAL, participation.rule, participation.decimals_citation).at(
                    f"{at}/other_projects/{other}/rate",
                    rate=decimal_text(project.rate, 6),
                    decimals=participation.decimals,
                )


def _operator_findings(rules: RuleSet, budget: Budget) -> Iterator[Finding]:
    rule = rules.budget.pay.operators
    items = frozenset(code for code, item in rules.leaves.items() if item.role == "external_pay")
    operators = [person for person in budget.people if person.role == "operator"]
    if not rule.at_least <= len(operators) <= rule.at_most:
        yield cited(OPERATOR_COUNT, rule.rule, rule.citation).at(
            "/people", at_least=rule.at_least, at_most=rule.at_most, given=len(operators)
        )
    rates = monthly_rates(budget, items)
    for person in operators:
        if person.employed_elsewhere:
            kind = cited(OPERATOR_EMPLOYED, rule.rule, rule.citation)
            yield kind.at(f"/people/{person.ref}/employed_elsewhere", name=person.name)
        lowest: Fraction | None = min(rates.get(person.ref, {}).values(), default=None)
        if lowest is not None and lowest < rule.rate_at_least:
            yield cited(RATE_UNDER_50, rule.rule, rule.citation).at(
                f"/people/{person.ref}",
                name=person.name,
                rate=decimal_text(lowest, 6),
                limit=decimal_text(rule.rate_at_least),
            )
