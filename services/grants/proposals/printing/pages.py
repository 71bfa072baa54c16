"""A document as the blocks of its pages, in the order of the call's form; and what cannot be
printed."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from services.grants.programmes.rules import RuleSet
from services.grants.proposals.document import Document
from services.grants.proposals.errors import GLYPH_MISSING
from services.grants.proposals.printing.blocks import Block, Words, heading
from services.grants.proposals.printing.form import with_year, written
from services.grants.proposals.printing.views import Shown, view
from services.grants.proposals.rules import totals
from services.grants.proposals.rules.form import entry
from shared.problems import Finding
from shared.typeset import drawable


def blocks(
    rules: RuleSet, document: Document, attachments: Sequence[Mapping[str, Any]]
) -> list[Block]:
    """Every section of the form with all its parts. Levels never jump, as readers of pages by ear
    need it."""
    sums = totals(rules, document.budget) if document.budget else None
    sections = with_year(rules, document.sections, document.budget, sums)
    shown = Shown(rules, document, sums, sections, attachments, Words.of(rules))
    kind = entry(sections, "project", "kind") or "new"
    year = document.budget.year if document.budget else None
    made: list[Block] = []
    for section in rules.form.sections:
        made.append(heading(1, section.name.ko))
        level = 1
        for part in section.parts:
            if part.only not in (None, kind):
                continue
            level = min(part.level, level + 1)
            made.append(heading(level, part.name.ko))
            if part.written:
                made += written(part, sections.get(part.code), shown.words, year, rules.call.years)
            elif part.view:
                made += view(part, shown)
    return made


def composed(value: Any) -> Any:
    """Texts with Hangul composed and line breaks as ours: the fonts have syllables, not jamo."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\t", " ")
    if isinstance(value, Mapping):
        return {key: composed(each) for key, each in value.items()}
    return [composed(each) for each in value] if isinstance(value, list) else value


def glyph_findings(value: Any, at: str = "") -> Iterator[Finding]:
    """Where a document has characters that the fonts cannot draw: a page without them would say
    something else."""
    if isinstance(value, str):
        known = drawable()
        missing = sorted({char for char in value if ord(char) not in known and char != "\n"})
        if missing:
            shown = " ".join(f"{char} (U+{ord(char):04X})" for char in missing[:10])
            yield GLYPH_MISSING.at(at, characters=shown)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from glyph_findings(each, f"{at}/{key}")
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from glyph_findings(each, f"{at}/{place}")
