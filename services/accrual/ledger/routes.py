"""The ledger over HTTP: for institutions to read, for other services to move points."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from services.accrual.clients import Registry
from services.accrual.ledger import (
    checkpoints,
    errors,
    export,
    rules,
    schemas,
    service,
    statements,
    verification,
)
from services.accrual.ledger.models import Entry, Transfer
from services.accrual.ledger.rules import Kind, NewReversal, NewTransfer
from shared.caller import institution_of, requires
from shared.db import Session
from shared.downloads import XLSX, download, send
from shared.paging import Page, Paging
from shared.problems import Finding, Invalid, NotFound
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/accrual/ledger", tags=["ledger"])
internal = APIRouter(prefix="/internal/ledger", tags=["internal"])

Reader = Annotated[Claims, Depends(requires("ledger:read"))]
Operator = Annotated[Claims, Depends(requires("ledger:adjust"))]
Mover = Annotated[Claims, Depends(requires("ledger:transfer"))]

SEES_ALL = frozenset({"operator", "ministry"})
OPEN_KINDS = frozenset({Kind.EXCHANGE, Kind.UTILISATION})
RESERVED_KINDS = frozenset(Kind) - OPEN_KINDS


async def _whose(reader: Reader, institution_id: UUID | None = None) -> UUID:
    """The institution whose ledger is read: one's own, or any for those who see all."""
    if reader.institution_kind in SEES_ALL:
        if institution_id is None:
            kind = errors.INSTITUTION_REQUIRED
            raise Invalid(errors=[kind.at("?institution_id", field="institution_id")])
        return institution_id
    own = institution_of(reader)
    if institution_id not in {None, own}:
        raise NotFound
    return own


Whose = Annotated[UUID, Depends(_whose)]


@router.get("/account", response_model=schemas.AccountOut)
async def get_account(
    reader: Reader,
    institution_id: Whose,
    session: Session,
    as_of: Annotated[AwareDatetime | None, Query(description="이 시각의 잔액")] = None,
) -> Any:
    """The points of an institution, now or at an instant, and by accrual field (M-052)."""
    by_field = await statements.balance_by_field(
        session, institution_id, instant=as_of, fields=reader.fields
    )
    answer: dict[str, Any] = {
        "institution_id": institution_id,
        "balance": None,
        "held": None,
        "available": None,
        "as_of": as_of,
        "by_field": by_field,
    }
    if reader.fields is not None:
        return answer
    if as_of is not None:
        return answer | {"balance": await service.balance_as_of(session, institution_id, as_of)}
    now = await service.account(session, institution_id)
    return answer | {"balance": now.balance, "held": now.held, "available": now.available}


async def _filter(
    reader: Reader,
    since: Annotated[date | None, Query(alias="from", description="시작일")] = None,
    until: Annotated[date | None, Query(alias="to", description="종료일")] = None,
    field: Annotated[str | None, Query(max_length=40, description="적립분야")] = None,
    title: Annotated[str | None, Query(max_length=100, description="사업명")] = None,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    origin_id: Annotated[UUID | None, Query(description="적립기관")] = None,
) -> statements.Filter:
    return statements.Filter(since, until, field, title, kind, origin_id, reader.fields)


@router.get("/entries", response_model=Page[schemas.EntryOut])
async def list_entries(
    reader: Reader,
    institution_id: Whose,
    wanted: Annotated[statements.Filter, Depends(_filter)],
    session: Session,
    page: Paging,
) -> Any:
    """The statement of an institution, newest first, with the running balance (M-040)."""
    rows, next_cursor, total = await statements.statement(session, institution_id, wanted, page)
    items = [_line(entry, transfer, limited=reader.fields is not None) for entry, transfer in rows]
    return {"items": items, "next_cursor": next_cursor, "total": total}


@router.get("/entries/export", summary="내역 엑셀 내려받기", **download(XLSX))
async def export_entries(
    institution_id: Whose,
    wanted: Annotated[statements.Filter, Depends(_filter)],
    request: Request,
    session: Session,
) -> Response:
    """The statement as a workbook, the oldest line first, with the institutions' names."""
    runtime = request.app.state.runtime
    registry = Registry(runtime.identity, runtime.settings.auth_url)
    book = await export.write_workbook(session, registry, institution_id, wanted)
    return send(book, "마일리지내역.xlsx", XLSX)


def _line(entry: Entry, transfer: Transfer, *, limited: bool) -> dict[str, Any]:
    other = transfer.credit_account if entry.amount < 0 else transfer.debit_account
    return {
        "number": entry.version,
        "recorded_at": entry.recorded_at,
        "effective_at": entry.effective_at,
        "kind": transfer.kind,
        "field": transfer.field,
        "title": transfer.title,
        "amount": entry.amount,
        "balance": None if limited else entry.balance,
        "counterparty_id": None if other is None or rules.is_system(other) else other,
        "origin_id": transfer.origin_id,
        "reference": transfer.reference,
        "reason": (transfer.details or {}).get("reason"),
        "transfer_id": transfer.id,
        "reverses_id": transfer.reverses_id,
    }


@router.get("/checkpoint", response_model=schemas.CheckpointOut, summary="원장 체크포인트")
async def get_checkpoint(session: Session) -> Any:
    """The newest signed checkpoint, for anyone to keep. Needs no login."""
    newest = await checkpoints.latest(session)
    if newest is None:
        raise NotFound
    return checkpoints.published(newest)


@router.post("/verify", response_model=schemas.ReportOut, summary="원장 검증")
async def verify_ledger(_operator: Operator, session: Session) -> Any:
    """모든 거래와 잔액을 처음부터 다시 계산해 확인합니다."""
    return await verification.verify(session)


@internal.post("/holds", status_code=201, response_model=schemas.TransferOut)
async def place_hold(
    body: schemas.HoldIn, mover: Mover, session: Session, response: Response
) -> Any:
    """Reserve points of one institution for another (M-042)."""
    _check_moves([body])
    fresh = await service.hold(session, _new(body, expires_at=body.expires_at))
    return await _answer(session, response, body.id, fresh=fresh)


@internal.post("/holds/{hold_id}/post", status_code=201, response_model=schemas.TransferOut)
async def post_hold(
    hold_id: UUID, body: schemas.PostIn, mover: Mover, session: Session, response: Response
) -> Any:
    """Move held points; what is not moved is released."""
    fresh = await service.post_hold(session, id=body.id, hold_id=hold_id, amount=body.amount)
    return await _answer(session, response, body.id, fresh=fresh)


@internal.post("/holds/{hold_id}/void", status_code=201, response_model=schemas.TransferOut)
async def void_hold(
    hold_id: UUID, body: schemas.VoidIn, mover: Mover, session: Session, response: Response
) -> Any:
    """Release held points; a hold that has not arrived yet is refused when it does."""
    fresh = await service.void_hold(session, id=body.id, hold_id=hold_id)
    return await _answer(session, response, body.id, fresh=fresh)


@internal.post("/reversals", status_code=201, response_model=schemas.TransferOut)
async def reverse_transfer(
    body: schemas.ReversalIn, mover: Mover, session: Session, response: Response
) -> Any:
    """Move points of a posted transfer back."""
    reversal = NewReversal(body.id, body.transfer_id, body.amount)
    fresh = await service.reverse(session, reversal, reason=body.reason)
    return await _answer(session, response, body.id, fresh=fresh)


@internal.post("/transfers", status_code=201, response_model=schemas.TransfersOut)
async def post_batch(body: schemas.TransfersIn, mover: Mover, session: Session) -> Any:
    """Post all of these transfers between institutions, or none."""
    _check_moves(body.transfers, "/transfers")
    fresh = await service.post_transfers(session, [_new(move) for move in body.transfers])
    return {"posted": fresh, "replayed": len(body.transfers) - fresh}


@internal.get("/transfers/{transfer_id}", response_model=schemas.TransferOut)
async def get_transfer(transfer_id: UUID, mover: Mover, session: Session) -> Any:
    """A transfer, and what became of it."""
    return _transfer(await service.transfer(session, transfer_id))


@internal.get("/accounts/{institution_id}", response_model=schemas.BalanceOut)
async def get_balance(institution_id: UUID, mover: Mover, session: Session) -> Any:
    """The points of an institution; all zero for one that never had any."""
    now = await service.account(session, institution_id)
    return {
        "institution_id": institution_id,
        "balance": now.balance,
        "held": now.held,
        "available": now.available,
    }


def _check_moves(moves: list[Any], where: str | None = None) -> None:
    """Other services move points between institutions: they neither make nor destroy any."""
    found: list[Finding] = []
    for index, move in enumerate(moves):
        at = "" if where is None else f"{where}/{index}"
        found += [
            errors.SYSTEM_ACCOUNT.at(f"{at}/{name}", field=name)
            for name in ("institution_id", "to_institution_id")
            if rules.is_system(getattr(move, name))
        ]
        if move.kind in RESERVED_KINDS:
            found.append(errors.KIND_RESERVED.at(f"{at}/kind", field="kind"))
    if found:
        raise Invalid(errors=found)


def _new(move: schemas.MoveIn, **more: Any) -> NewTransfer:
    return NewTransfer(
        id=move.id,
        debit_account=move.institution_id,
        credit_account=move.to_institution_id,
        amount=move.amount,
        kind=move.kind,
        reference=move.reference,
        title=move.title,
        origin_id=move.origin_id,
        **more,
    )


async def _answer(session: Session, response: Response, id: UUID, *, fresh: bool) -> Any:  # noqa: A002
    if not fresh:
        response.headers["Idempotency-Replayed"] = "true"
    return _transfer(await service.transfer(session, id))


def _transfer(found: service.Recorded) -> dict[str, Any]:
    transfer = found.transfer
    return {
        "id": transfer.id,
        "state": found.state,
        "kind": transfer.kind,
        "institution_id": transfer.debit_account,
        "to_institution_id": transfer.credit_account,
        "amount": transfer.amount,
        "pending_id": transfer.pending_id,
        "reverses_id": transfer.reverses_id,
        "ended_by": found.ended_by,
        "posted": found.posted,
        "reversed": found.reversed,
        "reference": transfer.reference,
        "effective_at": transfer.effective_at,
        "recorded_at": transfer.recorded_at,
        "expires_at": transfer.expires_at,
    }
