"""The rules of evaluation: sheets and scores in `sheet`, conflicts and ranking in `ranking`."""

from services.grants.evaluation.rules.ranking import (
    Candidate,
    Outcome,
    Ranked,
    Review,
    conflict,
    evaluate,
    panel_findings,
    panel_of,
    panel_pay,
    rank,
)
from services.grants.evaluation.rules.sheet import (
    BonusPoints,
    Dated,
    Facts,
    Scored,
    bonus_points,
    grade_name,
    quantitative_scores,
    score_range,
    sheet_findings,
    years_before,
)

__all__ = [
    "BonusPoints",
    "Candidate",
    "Dated",
    "Facts",
    "Outcome",
    "Ranked",
    "Review",
    "Scored",
    "bonus_points",
    "conflict",
    "evaluate",
    "grade_name",
    "panel_findings",
    "panel_of",
    "panel_pay",
    "quantitative_scores",
    "rank",
    "score_range",
    "sheet_findings",
    "years_before",
]
