"""What differs between two versions of a plan, by field and by won."""

from copy import deepcopy
from typing import Any

from services.grants.agreements.rules import Difference, Version, difference
from services.grants.agreements.rules.differences import MAX_FIELDS
from services.grants.programmes.reading import read
from services.grants.programmes.rules import Funds
from services.grants.proposals.rules import Budget, totals
from tests.grants.api.conftest import document
from tests.grants.calls import keco


def version(raw: dict[str, Any]) -> Version:
    return Version(raw, totals(keco(), read(Budget, raw["budget"])))


def compared(change: Any) -> Difference:
    """The agreed document of the other tests against itself as changed."""
    after = deepcopy(document())
    change(after)
    return difference(version(document()), version(after))


def test_the_same_document_differs_in_nothing() -> None:
    assert compared(lambda raw: None).is_empty


def test_money_moved_shows_before_and_after_by_line_and_by_item() -> None:
    def move(raw: dict[str, Any]) -> None:
        lines = {line["kind"]: line for line in raw["budget"]["lines"]}
        lines["books"]["amount_won"] -= 2_000_000
        lines["printing"]["amount_won"] += 2_000_000

    found = compared(move)
    assert [(line.what, line.kind, line.before_won, line.after_won) for line in found.lines] == [
        ("changed", "books", 55_000_000, 53_000_000),
        ("changed", "printing", 9_800_000, 11_800_000),
    ]
    sums = {item.item: (item.before.total, item.after.total) for item in found.items}
    assert sums == {
        "technical_information": (60_000_000, 58_000_000),
        "supplies_fees": (9_800_000, 11_800_000),
    }
    assert [item.change_won for item in found.items] == [-2_000_000, 2_000_000]


def test_a_rate_shows_as_the_rate_and_as_what_it_costs() -> None:
    def raise_rate(raw: dict[str, Any]) -> None:
        raw["budget"]["lines"][2]["pay"]["rate"] = "60"

    (line,) = compared(raise_rate).lines
    assert (line.kind, line.label) == ("operator_pay", "op")
    assert (line.before_won, line.after_won) == (12_000_000, 14_400_000)
    assert [(field.pointer, field.before, field.after) for field in line.fields] == [
        ("/pay/rate", "50", "60")
    ]


def test_lines_people_and_periods_that_come_go_or_change_are_named() -> None:
    def change(raw: dict[str, Any]) -> None:
        budget = raw["budget"]
        budget["lines"] = [line for line in budget["lines"] if line["kind"] != "incentive"]
        budget["lines"].append(
            {"item": "travel", "kind": "domestic_trip", "fund": "grant", "amount_won": 4_000_000,
             "name": "학회"}
        )  # fmt: skip
        budget["people"][1]["post"] = "contract_professor"
        budget["people"].append({"ref": "s1", "name": "박학생", "role": "research_student"})
        budget["year"]["end"] = "2021-01-31"
        raw["texts"] = {"goals": "목표"}

    found = compared(change)
    assert [(line.what, line.kind, line.label) for line in found.lines] == [
        ("added", "domestic_trip", "학회"),
        ("removed", "incentive", ""),
    ]
    assert [(person.what, person.ref) for person in found.people] == [
        ("changed", "op"),
        ("added", "s1"),
    ]
    assert found.people[0].fields[0].pointer == "/post"
    assert {field.pointer: (field.before, field.after) for field in found.fields} == {
        "/budget/year/end": ("2021-02-28", "2021-01-31"),
        "/texts/goals": (None, "목표"),
    }
    assert [item.item for item in found.items] == ["research_activity", "travel"]


def test_lines_of_one_use_are_told_apart_by_their_order() -> None:
    def double(raw: dict[str, Any]) -> None:
        raw["budget"]["lines"].append(dict(raw["budget"]["lines"][4], amount_won=1_000_000))

    (line,) = compared(double).lines
    assert (line.what, line.kind, line.after_won) == ("added", "reagents", 1_000_000)


def test_a_line_turned_to_another_fund_moves_between_sources() -> None:
    def turn(raw: dict[str, Any]) -> None:
        raw["budget"]["lines"][4]["fund"] = "cash"

    found = compared(turn)
    assert [(line.what, line.fund) for line in found.lines] == [
        ("added", "cash"),
        ("removed", "grant"),
    ]
    assert found.items[-1].item == "total"
    assert found.items[-1].after - found.items[-1].before == Funds(-100_000_000, 100_000_000)


def test_an_endless_difference_is_cut_and_counted() -> None:
    def fill(raw: dict[str, Any]) -> None:
        raw["sections"] = {"rows": list(range(MAX_FIELDS + 7))}

    found = compared(fill)
    assert (len(found.fields), found.left_out) == (MAX_FIELDS, 7)
