"""What the board routes take and give."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.auth.institutions.rules import Kind
from services.auth.notices.rules import Board
from shared.schemas import Body, Schema


class PostIn(Body):
    """`public`: everyone reads it, without login. Otherwise members do; `kinds` and
    `institution_ids` narrow that down."""

    board: Board
    title: str = Field(min_length=1, max_length=200)
    body: str = Field(min_length=1, max_length=50_000)
    pinned: bool = False
    public: bool = False
    kinds: list[Kind] = Field(default=[], max_length=10)
    institution_ids: list[UUID] = Field(default=[], max_length=500)


class NoticeFileOut(Schema):
    id: UUID
    name: str
    media_type: str
    size: int


class NoticeLineOut(Schema):
    """One line of a board; `read` is about the caller."""

    id: UUID
    board: str
    title: str
    pinned: bool
    public: bool
    published_at: datetime | None
    withdrawn_at: datetime | None
    files: int
    read: bool


class NoticeOut(Schema):
    """One post. The audience is told to those who write posts only."""

    id: UUID
    board: str
    title: str
    body: str
    pinned: bool
    public: bool
    kinds: list[str] | None
    institution_ids: list[UUID] | None
    published_at: datetime | None
    withdrawn_at: datetime | None
    files: list[NoticeFileOut]
    version: int


class UnreadOut(Schema):
    unread: int
