"""The boards: public posts need no login, the others show what is meant for the caller."""

from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Request, Response

from services.auth.accounts.rules import ADMINISTER_ACCOUNTS, id_in
from services.auth.callers import (
    CallingActor,
    Operator,
    Runtime,
    Self,
    Stranger,
    account_id_of,
)
from services.auth.notices import service
from services.auth.notices.models import Notice, NoticeFile
from services.auth.notices.rules import Board
from services.auth.notices.schemas import (
    NoticeFileOut,
    NoticeLineOut,
    NoticeOut,
    PostIn,
    UnreadOut,
)
from services.auth.notices.service import Post, Reader
from shared.caller import LOGIN_IS_OPTIONAL, Credentials, requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import ANY, download, send
from shared.files import chunks_of
from shared.paging import Page, Paging, paginate
from shared.preconditions import SeenVersion, tag
from shared.tokens import Claims
from shared.uploads import Upload

router = APIRouter(prefix="/api/v1/auth/notices", tags=["boards"])

_any_token = requires()


async def _reader(request: Request, credentials: Credentials) -> Reader:
    """Somebody without login sees public posts; a token that is sent has to be good."""
    if credentials is None:
        return Reader()
    return _member(await _any_token(request, credentials))


def _member(claims: Claims) -> Reader:
    """A partner system reads too, but leaves no marks: it has no account."""
    return Reader(
        account_id=id_in(claims.sub),
        institution_id=id_in(claims.institution_id),
        kind=claims.institution_kind,
        writes=ADMINISTER_ACCOUNTS in claims.scope,
    )


Reading = Annotated[Reader, Depends(_reader)]


@router.get(
    "", response_model=Page[NoticeLineOut], summary="게시판 목록", openapi_extra=LOGIN_IS_OPTIONAL
)
async def list_notices(
    reader: Reading,
    session: Session,
    page: Paging,
    board: Board | None = None,
    q: Annotated[str | None, Query(max_length=50, description="제목")] = None,
) -> Page[NoticeLineOut]:
    """Pinned posts first, then the newest."""
    found, next_cursor, total = await paginate(
        session, service.readable(reader, board=board, text=q), keys=service.order(), page=page
    )
    ids = [notice.id for notice in found]
    read = await service.marks(session, reader, ids)
    files = await service.files_of(session, ids)
    items = [_line(notice, files.get(notice.id, []), notice.id in read) for notice in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.get("/unread", response_model=UnreadOut, summary="읽지 않은 공지 수")
async def count_unread(caller: Self, session: Session) -> UnreadOut:
    return UnreadOut(unread=await service.unread(session, _member(caller)))


@router.get(
    "/{notice_id}",
    response_model=NoticeOut,
    summary="게시물 읽기",
    openapi_extra=LOGIN_IS_OPTIONAL,
)
async def read_notice(
    notice_id: UUID, reader: Reading, session: Session, response: Response
) -> NoticeOut:
    notice = await service.read(session, reader, notice_id)
    return await _answer(session, response, notice, reader)


@router.get(
    "/{notice_id}/attachments/{file_id}",
    summary="첨부 내려받기",
    openapi_extra=LOGIN_IS_OPTIONAL,
    **download(ANY),
)
async def download_file(
    notice_id: UUID,
    file_id: UUID,
    reader: Reading,
    stranger: Stranger,
    session: Session,
    runtime: Runtime,
) -> Response:
    file = await service.file_to_download(session, reader, notice_id, file_id, actor=stranger)
    content = service.content(runtime.files, file)
    return send(content, file.name, file.media_type, size=file.size)


# --- the operator -----------------------------------------------------------------------------

WRITER = Reader(writes=True)


@router.post("", status_code=201, response_model=NoticeOut, summary="게시물 작성")
async def write_notice(
    body: PostIn, operator: Operator, actor: CallingActor, session: Session, response: Response
) -> NoticeOut:
    """A draft; `publish` puts it on the board."""
    notice = await service.write(session, account_id_of(operator), _post(body), actor=actor)
    return await _answer(session, response, notice, WRITER)


@router.put("/{notice_id}", response_model=NoticeOut, summary="게시물 수정")
async def rewrite_notice(
    notice_id: UUID,
    body: PostIn,
    operator: Operator,
    actor: CallingActor,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> NoticeOut:
    notice = await service.rewrite(session, notice_id, _post(body), seen=seen, actor=actor)
    return await _answer(session, response, notice, WRITER)


@router.post("/{notice_id}/publish", response_model=NoticeOut, summary="게시")
async def publish_notice(
    notice_id: UUID,
    operator: Operator,
    actor: CallingActor,
    seen: SeenVersion,
    session: Session,
    response: Response,
    mail: Annotated[bool, Query(description="대상 기관의 담당자에게 메일로 알립니다")] = False,
) -> NoticeOut:
    notice = await service.publish(
        session, notice_id, mail=mail, seen=seen, actor=actor, now=utc_now()
    )
    return await _answer(session, response, notice, WRITER)


@router.post("/{notice_id}/withdraw", response_model=NoticeOut, summary="게시 중단")
async def withdraw_notice(
    notice_id: UUID,
    operator: Operator,
    actor: CallingActor,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> NoticeOut:
    notice = await service.withdraw(session, notice_id, seen=seen, actor=actor, now=utc_now())
    return await _answer(session, response, notice, WRITER)


@router.post(
    "/{notice_id}/attachments",
    status_code=201,
    response_model=NoticeFileOut,
    summary="첨부 추가",
)
async def attach_file(
    notice_id: UUID,
    operator: Operator,
    actor: CallingActor,
    runtime: Runtime,
    file: Upload,
) -> NoticeFile:
    return await service.attach(
        runtime.sessions,
        runtime.files,
        notice_id,
        file.filename or "",
        chunks_of(file),
        file_id=uuid4(),
        actor=actor,
    )


@router.delete("/{notice_id}/attachments/{file_id}", status_code=204, summary="첨부 삭제")
async def detach_file(
    notice_id: UUID, file_id: UUID, operator: Operator, actor: CallingActor, runtime: Runtime
) -> None:
    await service.detach(runtime.sessions, runtime.files, notice_id, file_id, actor=actor)


def _post(body: PostIn) -> Post:
    return Post(**body.model_dump())


async def _answer(
    session: Session, response: Response, notice: Notice, reader: Reader
) -> NoticeOut:
    tag(response, notice.version)
    files = (await service.files_of(session, [notice.id])).get(notice.id, [])
    return NoticeOut(
        id=notice.id,
        board=notice.board,
        title=notice.title,
        body=notice.body,
        pinned=notice.pinned,
        public=notice.public,
        kinds=list(notice.kinds) if reader.writes else None,
        institution_ids=list(notice.institution_ids) if reader.writes else None,
        published_at=notice.published_at,
        withdrawn_at=notice.withdrawn_at,
        files=[NoticeFileOut.model_validate(file) for file in files],
        version=notice.version,
    )


def _line(notice: Notice, files: list[NoticeFile], read: bool) -> NoticeLineOut:
    return NoticeLineOut(
        id=notice.id,
        board=notice.board,
        title=notice.title,
        pinned=notice.pinned,
        public=notice.public,
        published_at=notice.published_at,
        withdrawn_at=notice.withdrawn_at,
        files=len(files),
        read=read,
    )
