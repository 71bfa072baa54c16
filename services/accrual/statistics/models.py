"""Survey windows, as data, and who changed them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, SmallInteger, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from services.accrual.base import Base
from services.accrual.statistics.rules import Window
from shared.db import HasId, HasTimes


class SurveyWindow(HasTimes, Base):
    """The period of one year's survey, both days included. No two overlap (the migration's
    exclusion constraint), so that nothing is counted in two surveys."""

    __tablename__ = "survey_window"

    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    pilot: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int] = mapped_column(server_default="1")

    __table_args__ = (CheckConstraint("starts_on <= ends_on", name="order"),)

    def to_window(self) -> Window:
        return Window(self.year, self.starts_on, self.ends_on, self.pilot)


class SurveyWindowChange(HasId, Base):
    """Who set a window to other days, and what they were before. Append-only (A7)."""

    __tablename__ = "survey_window_change"

    year: Mapped[int] = mapped_column(SmallInteger)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    by: Mapped[str] = mapped_column(String(64))
    trace_id: Mapped[str] = mapped_column(String(32))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
