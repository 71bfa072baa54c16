"""The rule book in docs/ is what the rule set says today."""

from pathlib import Path

from services.grants.expenses.rules import page
from tests.grants.calls import harbour, keco

BOOK = Path(__file__).parents[2] / "docs" / "rule-book.md"


def test_the_printed_rule_book_is_up_to_date() -> None:
    fresh = page(keco())
    assert BOOK.read_text(encoding="utf-8") == fresh, (
        "python -m services.grants rule-book > docs/rule-book.md"
    )


def test_the_book_of_another_call_prints_its_own_rules() -> None:
    assert "| T-44 | 입고 | `arrival` |" in page(harbour())
    assert "S2:" not in page(harbour())
