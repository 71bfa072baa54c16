"""Evaluation: pre-review, panels, score sheets, bonus and the ranking of proposals."""
