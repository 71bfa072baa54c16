"""A place in the ranking as plain values: what officers see, and what is kept of it."""

from collections.abc import Sequence
from typing import Any

from services.grants.evaluation.rules import BonusPoints, Ranked, Scored
from services.grants.programmes.rules import Judged, Text, decimal_text
from services.grants.proposals.models import Proposal
from shared.problems import Lang

Line = tuple[Ranked, Proposal, Sequence[Scored], BonusPoints]


def outcome_of(rules: Judged, line: Line, lang: Lang) -> dict[str, Any]:
    """Totals as exact fractions and as people read them, every item with how it came about."""
    ranked, proposal, scored, bonus = line
    outcome = ranked.outcome
    findings = (
        *outcome.findings,
        *ranked.findings,
        *(finding for item in scored for finding in item.findings),
        *bonus.findings,
    )

    def said(text: Text) -> str:
        return text.ko if lang == "ko" else text.en

    by_code = {item.item: item for item in scored}
    return {
        "proposal_id": str(proposal.id),
        "institution_name": proposal.institution_name,
        "rank": ranked.rank,
        "tied": ranked.tied,
        "total": str(outcome.total),
        "shown": outcome.shown,
        "quantitative": [
            {"item": item.item, "score": item.score, "shown": said(item.shown)} for item in scored
        ],
        "qualitative": str(outcome.qualitative),
        "bonus": bonus.points,
        "bonus_shown": said(bonus.shown),
        "passes": outcome.passes,
        "sections": [
            {
                "code": section.code,
                "name": said(section.name),
                "points": str(outcome.sections[section.code]),
                "shown": decimal_text(
                    outcome.sections[section.code], rules.evaluation.shown_decimals
                ),
                "at_most": sum(item.scores[0] for item in section.items),
            }
            for section in rules.evaluation.sections
        ],
        "items": [
            {
                "code": item.code,
                "section": section.code,
                "name": said(item.name),
                "quantitative": item.quantitative,
                "points": str(
                    by_code[item.code].score if item.quantitative else outcome.means[item.code]
                ),
                "shown": said(by_code[item.code].shown)
                if item.quantitative
                else decimal_text(outcome.means[item.code], rules.evaluation.shown_decimals),
                "at_most": item.scores[0],
            }
            for section in rules.evaluation.sections
            for item in section.items
        ],
        "counted": list(outcome.counted),
        "trimmed": list(outcome.trimmed),
        "findings": [finding.to_dict(lang) for finding in findings],
    }
