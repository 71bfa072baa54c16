"""The boards (M-054): writing posts, and reading those meant for one."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, any_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.audit.service import Actor, record
from services.auth.errors import TooManyFiles
from services.auth.notices import rules
from services.auth.notices.mailing import MAIL_TASK
from services.auth.notices.models import Notice, NoticeFile, NoticeRead
from services.auth.notices.rules import Audience, Board
from shared.db import Sessions
from shared.files import Files
from shared.jobs import enqueue
from shared.problems import NotFound, Stale, StateConflict

MAX_FILES = 10


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a member, or somebody without login (everything None). The operator, who writes
    the posts, sees drafts and withdrawn ones too."""

    account_id: UUID | None = None
    institution_id: UUID | None = None
    kind: str | None = None
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    board: Board
    title: str
    body: str
    pinned: bool
    public: bool
    kinds: Sequence[str]
    institution_ids: Sequence[UUID]


def readable(reader: Reader, *, board: Board | None, text: str | None) -> Select[Notice]:
    """The posts a reader may see. The same rule as `rules.sees`, as a query."""
    query = select(Notice)
    if not reader.writes:
        query = query.where(_on_board(), _meant_for(reader))
    if board is not None:
        query = query.where(Notice.board == board)
    if text:
        query = query.where(Notice.title.icontains(text, autoescape=True))
    return query


def order() -> list[ColumnElement[Any]]:
    """Pinned posts first, then the newest; drafts by when they were written."""
    shown_at = func.coalesce(Notice.published_at, Notice.created_at)
    return [Notice.pinned.expression, shown_at, Notice.id.expression]


def _on_board() -> ColumnElement[bool]:
    return and_(Notice.published_at.is_not(None), Notice.withdrawn_at.is_(None))


def _meant_for(reader: Reader) -> ColumnElement[bool]:
    if reader.kind is None or reader.institution_id is None:
        return Notice.public.is_(True)
    everyone = and_(
        func.cardinality(Notice.kinds) == 0, func.cardinality(Notice.institution_ids) == 0
    )
    return or_(
        Notice.public,
        everyone,
        literal(reader.kind) == any_(Notice.kinds),
        literal(reader.institution_id) == any_(Notice.institution_ids),
    )


async def read(session: AsyncSession, reader: Reader, notice_id: UUID) -> Notice:
    """One post; a member's reading leaves a mark. Raises `NotFound` for what is not his."""
    notice = await session.get(Notice, notice_id)
    if notice is None or not _may_see(reader, notice):
        raise NotFound
    if reader.account_id is not None and notice.published_at is not None:
        mark = {"notice_id": notice.id, "account_id": reader.account_id}
        await session.execute(insert(NoticeRead).values(mark).on_conflict_do_nothing())
    return notice


def _may_see(reader: Reader, notice: Notice) -> bool:
    if reader.writes:
        return True
    shown = notice.published_at is not None and notice.withdrawn_at is None
    audience = Audience(notice.public, notice.kinds, notice.institution_ids)
    return shown and rules.sees(audience, kind=reader.kind, institution_id=reader.institution_id)


async def marks(session: AsyncSession, reader: Reader, notice_ids: Sequence[UUID]) -> set[UUID]:
    """Which of these the reader has read."""
    if reader.account_id is None:
        return set()
    query = select(NoticeRead.notice_id).where(
        NoticeRead.account_id == reader.account_id, NoticeRead.notice_id.in_(notice_ids)
    )
    return set(await session.scalars(query))


async def unread(session: AsyncSession, reader: Reader) -> int:
    """How many posts on the notice board a member has not read."""
    seen = select(NoticeRead.notice_id).where(NoticeRead.account_id == reader.account_id)
    query = select(func.count(Notice.id)).where(
        _on_board(),
        _meant_for(reader),
        Notice.board == Board.NOTICE,
        Notice.id.not_in(seen),
    )
    return await session.scalar(query) or 0


# --- writing ----------------------------------------------------------------------------------


async def write(session: AsyncSession, author_id: UUID, post: Post, *, actor: Actor) -> Notice:
    """A draft: nobody sees it before `publish`."""
    notice = Notice(author_id=author_id, version=1, **_columns(post))
    session.add(notice)
    await session.flush()  # the audit row needs the id
    _record(session, actor, notice, "notice.written")
    return notice


async def rewrite(
    session: AsyncSession, notice_id: UUID, post: Post, *, seen: int, actor: Actor
) -> Notice:
    notice = await _locked(session, notice_id, seen)
    for name, value in _columns(post).items():
        setattr(notice, name, value)
    notice.version += 1
    _record(session, actor, notice, "notice.rewritten")
    return notice


async def publish(
    session: AsyncSession, notice_id: UUID, *, mail: bool, seen: int, actor: Actor, now: datetime
) -> Notice:
    """Put a post on the board; with `mail` the contacts of those it is for get a letter."""
    notice = await _locked(session, notice_id, seen)
    if notice.published_at is not None and notice.withdrawn_at is None:
        raise StateConflict(state="published")
    notice.published_at, notice.withdrawn_at = now, None
    notice.version += 1
    _record(session, actor, notice, "notice.published")
    if mail:
        await enqueue(session, MAIL_TASK, notice_id=str(notice.id))
    return notice


async def withdraw(
    session: AsyncSession, notice_id: UUID, *, seen: int, actor: Actor, now: datetime
) -> Notice:
    notice = await _locked(session, notice_id, seen)
    if notice.published_at is None or notice.withdrawn_at is not None:
        raise StateConflict(state="withdrawn" if notice.withdrawn_at else "draft")
    notice.withdrawn_at = now
    notice.version += 1
    _record(session, actor, notice, "notice.withdrawn")
    return notice


async def _locked(session: AsyncSession, notice_id: UUID, seen: int) -> Notice:
    notice = await session.get(Notice, notice_id, with_for_update=True)
    if notice is None:
        raise NotFound
    if notice.version != seen:
        raise Stale
    return notice


def _columns(post: Post) -> dict[str, object]:
    columns = asdict(post)
    return columns | {
        "kinds": sorted(set(post.kinds)),
        "institution_ids": sorted(set(post.institution_ids)),
    }


# --- files ------------------------------------------------------------------------------------


async def files_of(
    session: AsyncSession, notice_ids: Sequence[UUID]
) -> dict[UUID, list[NoticeFile]]:
    query = select(NoticeFile).where(NoticeFile.notice_id.in_(notice_ids)).order_by(NoticeFile.id)
    found: dict[UUID, list[NoticeFile]] = {}
    for file in await session.scalars(query):
        found.setdefault(file.notice_id, []).append(file)
    return found


async def attach(
    sessions: Sessions,
    store: Files,
    notice_id: UUID,
    name: str,
    chunks: AsyncIterator[bytes],
    *,
    file_id: UUID,
    actor: Actor,
) -> NoticeFile:
    """Attach a file. It is stored before it is noted, and no transaction waits for the upload;
    a file that could not be noted is taken out again."""
    async with sessions() as session:
        await _room_for_a_file(session, notice_id)
    stored = await store.put(_key(notice_id, file_id), name, chunks)
    try:
        async with sessions.begin() as session:
            await session.get(Notice, notice_id, with_for_update=True)
            await _room_for_a_file(session, notice_id)
            file = NoticeFile(
                id=file_id,
                notice_id=notice_id,
                name=stored.name,
                media_type=stored.media_type,
                size=stored.size,
                sha256=bytes.fromhex(stored.sha256),
            )
            session.add(file)
            record(
                session,
                actor,
                "notice.file_attached",
                object_type="notice",
                object_id=notice_id,
                after={"name": stored.name, "size": stored.size},
            )
    except Exception:
        await store.delete(_key(notice_id, file_id))
        raise
    return file


async def file_to_download(
    session: AsyncSession, reader: Reader, notice_id: UUID, file_id: UUID, *, actor: Actor
) -> NoticeFile:
    """A file of a post the reader may see; raises `NotFound`. A member's download is on record
    (A7)."""
    await read(session, reader, notice_id)
    file = await session.get(NoticeFile, file_id)
    if file is None or file.notice_id != notice_id:
        raise NotFound
    if reader.account_id is not None:
        record(
            session,
            actor.known_as(reader.account_id, reader.institution_id),
            "notice.file_downloaded",
            object_type="notice",
            object_id=notice_id,
            after={"name": file.name},
        )
    return file


async def detach(
    sessions: Sessions, store: Files, notice_id: UUID, file_id: UUID, *, actor: Actor
) -> None:
    async with sessions.begin() as session:
        file = await session.get(NoticeFile, file_id)
        if file is None or file.notice_id != notice_id:
            raise NotFound
        await session.delete(file)
        record(
            session,
            actor,
            "notice.file_removed",
            object_type="notice",
            object_id=notice_id,
            before={"name": file.name},
        )
    await store.delete(_key(notice_id, file_id))


def content(store: Files, file: NoticeFile) -> AsyncIterator[bytes]:
    return store.get(_key(file.notice_id, file.id))


async def _room_for_a_file(session: AsyncSession, notice_id: UUID) -> None:
    if await session.get(Notice, notice_id) is None:
        raise NotFound
    query = select(func.count(NoticeFile.id)).where(NoticeFile.notice_id == notice_id)
    if (await session.scalar(query) or 0) >= MAX_FILES:
        raise TooManyFiles(most=MAX_FILES)


def _key(notice_id: UUID, file_id: UUID) -> str:
    return f"notices/{notice_id}/{file_id}"


def _record(session: AsyncSession, actor: Actor, notice: Notice, action: str) -> None:
    after = {"title": notice.title, "public": notice.public, "pinned": notice.pinned}
    record(session, actor, action, object_type="notice", object_id=notice.id, after=after)
