"""Boards: posts, their files, and who has read them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.base import Base
from services.auth.notices.rules import Board
from shared.db import HasId, HasTimes, one_of


class Notice(HasId, HasTimes, Base):
    """One post. It is on the board from `published_at` until `withdrawn_at`."""

    __tablename__ = "notice"

    board: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    pinned: Mapped[bool] = mapped_column(server_default=text("false"))
    public: Mapped[bool] = mapped_column(server_default=text("false"))
    kinds: Mapped[list[str]] = mapped_column(ARRAY(String(20)), server_default=text("'{}'"))
    institution_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), server_default=text("'{}'"))
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    version: Mapped[int] = mapped_column(server_default=text("1"))

    __table_args__ = (
        one_of("board", Board),
        Index(None, "board", "published_at"),
    )


class NoticeFile(HasId, Base):
    __tablename__ = "notice_file"

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class NoticeRead(Base):
    __tablename__ = "notice_read"

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    read_at: Mapped[datetime] = mapped_column(server_default=func.now())
