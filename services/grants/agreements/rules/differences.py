"""What differs between two versions of a plan: money by item and line, people, every other field.

The documents are compared as they were written (JSON), the won as the rules add them up, so that
a difference in a rate shows both as the rate and as what it costs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from services.grants.programmes.rules import Fund, Funds, RuleSet, Text
from services.grants.proposals.rules import Totals

MAX_FIELDS: Final = 2_000

What = Literal["added", "removed", "changed"]
Json = Any


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A value that differs, by JSON Pointer; None where one side does not have it."""

    pointer: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """A budget item whose sum differs, in won by source of funds; branches and the whole too."""

    item: str
    name: Text
    before: Funds
    after: Funds

    @property
    def change_won(self) -> int:
        return self.after.total - self.before.total


@dataclass(frozen=True, slots=True)
class LineDifference:
    """A line of the budget; `label` tells lines of one use apart (person, asset, journey, name)."""

    what: What
    item: str
    kind: str
    fund: Fund
    label: str
    before_won: int | None
    after_won: int | None
    fields: tuple[FieldDifference, ...]


@dataclass(frozen=True, slots=True)
class PersonDifference:
    what: What
    ref: str
    name: str
    fields: tuple[FieldDifference, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """`left_out` counts the other fields beyond the first `MAX_FIELDS`."""

    items: tuple[ItemDifference, ...]
    lines: tuple[LineDifference, ...]
    people: tuple[PersonDifference, ...]
    fields: tuple[FieldDifference, ...]
    left_out: int

    @property
    def is_empty(self) -> bool:
        return not (self.items or self.lines or self.people or self.fields)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the plan: the document as written, and its budget added up."""

    document: Mapping[str, Json]
    totals: Totals


def difference(before: Version, after: Version) -> Difference:
    """All that differs between two versions, in the order of the newer document."""
    fields = tuple(_fields(_rest(before.document), _rest(after.document)))
    return Difference(
        tuple(_items(after.totals.rules, before.totals, after.totals)),
        tuple(_lines(before, after)),
        tuple(_people(before.document, after.document)),
        fields[:MAX_FIELDS],
        max(0, len(fields) - MAX_FIELDS),
    )


def item_differences(rules: RuleSet, before: Totals, after: Totals) -> tuple[ItemDifference, ...]:
    """The items of two budgets whose sums differ."""
    return tuple(_items(rules, before, after))


def _items(rules: RuleSet, before: Totals, after: Totals) -> Iterator[ItemDifference]:
    for code, item in rules.items.items():
        old, new = before.items.get(code, Funds()), after.items.get(code, Funds())
        if old != new:
            yield ItemDifference(code, item.name, old, new)
    if before.whole != after.whole:
        yield ItemDifference("total", Text("총계", "total"), before.whole, after.whole)


def _lines(before: Version, after: Version) -> Iterator[LineDifference]:
    old, new = _keyed(before), _keyed(after)
    for key in _ordered(new, old):
        (kind, fund, item, label, _number) = key
        was, now = old.get(key), new.get(key)
        fields = tuple(_fields(was[0] if was else {}, now[0] if now else {}))
        if fields:
            yield LineDifference(
                _what(was, now),
                item,
                kind,
                fund,
                label,
                was[1] if was else None,
                now[1] if now else None,
                fields if was and now else (),
            )


_Key = tuple[str, Fund, str, str, int]


def _keyed(version: Version) -> dict[_Key, tuple[Mapping[str, Json], int]]:
    """Lines by what they are for; equal ones are told apart by their order."""
    keyed: dict[_Key, tuple[Mapping[str, Json], int]] = {}
    written: Sequence[Mapping[str, Json]] = version.document["budget"]["lines"]
    for raw, (line, won) in zip(written, version.totals.lines, strict=True):
        label = line.trip or line.name
        if line.pay is not None:
            label = line.pay.person
        elif line.asset is not None:
            label = line.asset.ref
        number = 0
        while (key := (line.kind, line.fund, line.item, label, number)) in keyed:
            number += 1
        keyed[key] = (raw, won)
    return keyed


def _people(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[PersonDifference]:
    old, new = (
        {person["ref"]: person for person in document["budget"].get("people", ())}
        for document in (before, after)
    )
    for ref in _ordered(new, old):
        was, now = old.get(ref), new.get(ref)
        fields = tuple(_fields(was or {}, now or {}))
        if fields:
            person = now or was
            assert person is not None  # the ref is of one of the two
            yield PersonDifference(
                _what(was, now), ref, person["name"], fields if was and now else ()
            )


def _rest(document: Mapping[str, Json]) -> dict[str, Json]:
    """The document without the lines and the people, which have their own tables."""
    budget = document.get("budget") or {}
    rest = {key: value for key, value in budget.items() if key not in ("lines", "people")}
    return {**document, "budget": rest}


def _fields(before: Json, after: Json) -> Iterator[FieldDifference]:
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    for pointer in _ordered(new, old):
        if old.get(pointer) != new.get(pointer):
            yield FieldDifference(pointer, old.get(pointer), new.get(pointer))


def _leaves(value: Json, pointer: str) -> Iterator[tuple[str, Json]]:
    """Every plain value inside, by JSON Pointer; an empty object or list says nothing."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            escaped = str(key).replace("~", "~0").replace("/", "~1")
            yield from _leaves(inner, f"{pointer}/{escaped}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{pointer}/{index}")
    else:
        yield pointer, value


def _ordered(first: Iterable[Any], second: Iterable[Any]) -> Iterable[Any]:
    """Everything of two, each once, in the order of the first."""
    return dict.fromkeys([*first, *second])


def _what(was: object, now: object) -> What:
    if was is None:
        return "added"
    return "removed" if now is None else "changed"
