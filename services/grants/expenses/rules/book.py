"""The rule book of a call, printed from its data: what is checked, where, and why."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.grants.expenses.rules.registry import KINDS, kind_of
from services.grants.programmes.rules import (
    FUND_NAMES,
    AssetCap,
    Ground,
    HeadCap,
    RuleSet,
    Selector,
    ShareCap,
    Text,
    listed,
)
from shared.problems import Lang

Cap = ShareCap | HeadCap | AssetCap

_ALL = Text("모든 비목", "every item")
_EXCLUSION = Text("인정되지 않는 집행", "never recognised")
_CAP = Text("한도", "limit")


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule of the book: `kind` is the code's word for it, `params` its numbers as data.

    `ground` is 0 for rules that only remark.
    """

    rule: str
    kind: str
    name: Text
    applies: Text
    params: Mapping[str, Any]
    says: tuple[str, ...]
    ground: int
    ground_name: Text
    citation: str


def rule_book(rules: RuleSet) -> tuple[Entry, ...]:
    """Every expense rule, cap and exclusion of a call, in the order of the rule numbers."""
    return tuple(sorted(_entries(rules), key=lambda entry: entry.rule))


def markdown(rules: RuleSet, lang: Lang = "ko") -> str:
    """The rule book as a table a person can read."""
    ko = lang == "ko"
    head = (
        ("규칙", "내용", "적용", "환수 사유", "근거")
        if ko
        else ("Rule", "What", "Applies to", "Ground", "Source")
    )
    rows = [
        (
            entry.rule,
            entry.name.ko if ko else entry.name.en,
            entry.applies.ko if ko else entry.applies.en,
            f"{entry.ground} {entry.ground_name.ko if ko else entry.ground_name.en}"
            if entry.ground
            else "-",
            entry.citation,
        )
        for entry in rule_book(rules)
    ]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "/") for cell in row) + " |"
        for row in (head, ("---",) * len(head), *rows)
    )


def page(rules: RuleSet) -> str:
    """The rule book as a document: grounds, every rule with its findings, every kind of rule."""
    spending = rules.spending
    order = ", ".join(map(str, spending.recovery.order))
    lines = [
        f"# 정산 규칙집: {rules.name.ko}",
        "",
        f"`{rules.code}` v{rules.version}. 규정 자료에서 만든 문서입니다. 손으로 고치지 않습니다.",
        "다시 만들기: `python -m services.grants rule-book > docs/rule-book.md`",
        "",
        "## 환수 사유",
        "",
        *(f"{ground.number}. {ground.name.ko} ({ground.citation})" for ground in _grounds(rules)),
        "",
        f"하나의 금액은 한 가지 사유로만 환수합니다. 여럿이 해당하면 {order} 순으로 정합니다.",
        "",
        "## 규칙",
        "",
        markdown(rules),
        "",
        "## 규칙의 판정과 값",
        "",
        "| 규칙 | 내용 | 종류 | 판정 코드 | 값 |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {entry.rule} | {entry.name.ko} | `{entry.kind}` | "
            f"{', '.join(f'`{code}`' for code in entry.says)} | {_values(entry.params)} |"
            for entry in rule_book(rules)
        ),
        "",
        "## 규칙의 종류",
        "",
        "| 종류 | 하는 일 |",
        "| --- | --- |",
        *(f"| `{name}` | {KINDS[name].doc} |" for name in sorted(KINDS)),
        "",
    ]
    return "\n".join(lines)


def _grounds(rules: RuleSet) -> Sequence[Ground]:
    return sorted(rules.spending.recovery.grounds, key=lambda ground: ground.number)


def _values(params: Mapping[str, Any]) -> str:
    """A rule's parameters as compact JSON in a cell of the table."""
    text = json.dumps(params, ensure_ascii=False, default=str, sort_keys=True)
    return f"`{text.replace('|', '/')}`" if params else "-"


def _entries(rules: RuleSet) -> Iterator[Entry]:
    grounds = {ground.number: ground.name for ground in rules.spending.recovery.grounds}
    none = Text("-", "-")
    for spec in rules.spending.rules:
        kind = kind_of(spec)
        yield Entry(
            spec.rule,
            spec.kind,
            spec.name,
            _applies(rules, spec.part),
            dict(spec.params),
            tuple(dict.fromkeys(said.code for said in kind.says)),
            spec.ground,
            grounds.get(spec.ground, none),
            spec.citation,
        )
    for exclusion in rules.spending.exclusions:
        yield Entry(
            exclusion.rule,
            "exclusion",
            exclusion.name,
            _applies(rules, exclusion.part),
            {"facts": sorted(exclusion.facts), "unless": exclusion.unless},
            ("EXCLUDED",),
            exclusion.ground,
            grounds.get(exclusion.ground, _EXCLUSION),
            exclusion.citation,
        )
    budget = rules.budget
    caps: list[Cap] = [*budget.share_caps, *budget.head_caps, *budget.asset_caps]
    for cap in caps:
        params, code = _cap(cap)
        yield Entry(
            cap.rule,
            "cap",
            cap.name,
            _applies(rules, cap.part),
            params,
            (code,),
            cap.ground,
            grounds.get(cap.ground, _CAP),
            cap.citation,
        )


def _cap(cap: Cap) -> tuple[Mapping[str, Any], str]:
    """A cap's numbers and the finding it gives."""
    match cap:
        case ShareCap():
            return {"percent": str(cap.percent), "base": sorted(cap.base)}, "CAP_EXCEEDED"
        case HeadCap():
            return {"limit_won": cap.limit_won}, "HEAD_CAP_EXCEEDED"
        case AssetCap():
            return {"percent": str(cap.percent)}, "ASSET_CAP_EXCEEDED"


def _applies(rules: RuleSet, part: Selector) -> Text:
    named = [
        *(rules.items[code].name for code in rules.items if code in part.items),
        *(rules.kinds[code].name for code in rules.kinds if code in part.kinds),
    ]
    text = listed(named) if named else _ALL
    if part.except_kinds:
        but = listed(rules.kinds[code].name for code in rules.kinds if code in part.except_kinds)
        text = Text(f"{text.ko} ({but.ko} 제외)", f"{text.en} (but {but.en})")
    if part.funds:
        funds = listed(FUND_NAMES[fund] for fund in sorted(part.funds))
        text = Text(f"{text.ko} ({funds.ko})", f"{text.en} ({funds.en})")
    return text
