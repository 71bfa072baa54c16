"""Using mileage in a programme, over HTTP (활용신청)."""

from typing import Annotated, Any
from uuid import UUID

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.accrual.clients import Programmes, Registry
from services.accrual.utilisations import letter, schemas, service
from services.accrual.utilisations.models import Utilisation
from services.accrual.utilisations.rules import BonusRule, State
from services.accrual.utilisations.service import NAMES, Offices, Wanted
from shared.caller import requires
from shared.clock import utc_now
from shared.db import Session
from shared.downloads import PDF, download, send
from shared.idempotency import Once
from shared.paging import Page, Paging
from shared.problems import StateConflict
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/accrual/utilisations", tags=["활용신청"])

Reader = Annotated[Claims, Depends(requires("ledger:read", "grants:manage"))]
# Who files a university's applications or books for a company may spend its mileage.
Applicant = Annotated[Claims, Depends(requires("accrual:apply", "exchange:buy"))]
# The operator, and officers of the agency whose programme it is (the service looks at which).
Decider = Annotated[Claims, Depends(requires("ledger:adjust", "grants:manage"))]
UtilisationId = Annotated[UUID, Path(description="활용신청 id")]


async def _offices(request: Request) -> Offices:
    runtime = request.app.state.runtime
    settings = runtime.settings
    return Offices(
        Programmes(runtime.identity, settings.grants_url),
        Registry(runtime.identity, settings.auth_url),
    )


Others = Annotated[Offices, Depends(_offices)]


@router.post("/preview", response_model=schemas.PreviewOut, summary="활용신청 미리보기")
async def preview_utilisation(
    body: schemas.UtilisationIn, applicant: Applicant, offices: Others, session: Session
) -> Any:
    """What the mileage would buy, and what would be reserved. Changes nothing."""
    seen = await service.preview(session, offices, applicant, _wanted(body), now=utc_now())
    return {
        "programme_name": seen.programme.name,
        "rule": seen.rule.as_json(),
        "mileage": body.mileage,
        "steps": seen.steps,
        "points": seen.rule.points(seen.steps),
        "held": seen.held,
        "available": seen.available,
        "available_after": seen.available - seen.held,
        "certificate_number": seen.certificate.number if seen.certificate else None,
    }


@router.post("", status_code=201, response_model=schemas.UtilisationOut, summary="활용신청")
async def request_utilisation(
    body: schemas.UtilisationIn,
    applicant: Applicant,
    offices: Others,
    once: Once,
    session: Session,
) -> Response:
    """Ask for a programme's points; the mileage they may cost is reserved."""
    made = await service.request(session, offices, applicant, _wanted(body), now=utc_now())
    return await once.answer(201, _out(made))


@router.get("", response_model=Page[schemas.UtilisationOut], summary="활용신청 목록")
async def list_utilisations(
    reader: Reader,
    session: Session,
    page: Paging,
    state: Annotated[schemas.State | None, Query(description="상태")] = None,
    programme_id: Annotated[UUID | None, Query(description="사업")] = None,
    institution_id: Annotated[UUID | None, Query(description="기관")] = None,
) -> Any:
    found, next_cursor, total = await service.utilisations(
        session,
        reader,
        page,
        state=state,
        programme_id=programme_id,
        institution_id=institution_id,
    )
    return Page(items=[_out(one) for one in found], next_cursor=next_cursor, total=total)


@router.get("/{utilisation_id}", response_model=schemas.UtilisationOut, summary="활용신청 조회")
async def get_utilisation(utilisation_id: UtilisationId, reader: Reader, session: Session) -> Any:
    return _out(await service.find(session, reader, utilisation_id))


@router.get(
    "/{utilisation_id}/events", response_model=Page[schemas.EventOut], summary="활용신청 이력"
)
async def list_utilisation_events(
    utilisation_id: UtilisationId, reader: Reader, session: Session, page: Paging
) -> Any:
    items, next_cursor, total = await service.history(session, reader, utilisation_id, page)
    return {"items": items, "next_cursor": next_cursor, "total": total}


@router.get("/{utilisation_id}/letter", summary="활용 확인서", **download(PDF))
async def get_letter(utilisation_id: UtilisationId, reader: Reader, session: Session) -> Response:
    """The confirmation, as a PDF; the same bytes each time."""
    one = await service.find(session, reader, utilisation_id)
    if one.state != State.CONFIRMED:
        raise StateConflict(state=NAMES[State(one.state)])
    pdf = await anyio.to_thread.run_sync(letter.render, _out(one))
    return send(pdf, f"마일리지활용확인서_{one.number}.pdf", PDF)


@router.post(
    "/{utilisation_id}/withdraw", response_model=schemas.UtilisationOut, summary="활용신청 철회"
)
async def withdraw_utilisation(
    utilisation_id: UtilisationId, applicant: Applicant, once: Once, session: Session
) -> Response:
    withdrawn = await service.withdraw(session, applicant, utilisation_id, now=utc_now())
    return await once.answer(200, _out(withdrawn))


@router.post(
    "/{utilisation_id}/confirm", response_model=schemas.UtilisationOut, summary="활용신청 확정"
)
async def confirm_utilisation(
    utilisation_id: UtilisationId,
    body: schemas.ConfirmIn,
    decider: Decider,
    once: Once,
    session: Session,
) -> Response:
    """So many steps scored in the programme: their mileage is deducted, the rest released."""
    confirmed = await service.confirm(
        session, decider, utilisation_id, steps=body.steps_scored, now=utc_now()
    )
    return await once.answer(200, _out(confirmed))


@router.post(
    "/{utilisation_id}/reject", response_model=schemas.UtilisationOut, summary="활용신청 반려"
)
async def reject_utilisation(
    utilisation_id: UtilisationId,
    body: schemas.ReasonIn,
    decider: Decider,
    once: Once,
    session: Session,
) -> Response:
    rejected = await service.reject(
        session, decider, utilisation_id, reason=body.reason, now=utc_now()
    )
    return await once.answer(200, _out(rejected))


def _wanted(body: schemas.UtilisationIn) -> Wanted:
    return Wanted(body.programme_id, body.mileage, body.certificate_number)


def _out(one: Utilisation) -> schemas.UtilisationOut:
    rule = BonusRule.of(one.rule)
    scored = one.steps_scored
    return schemas.UtilisationOut.model_validate(
        {name: getattr(one, name) for name in _COLUMNS}
        | {
            "points": rule.points(one.steps),
            "points_scored": None if scored is None else rule.points(scored),
        }
    )


_COLUMNS = schemas.UtilisationOut.model_fields.keys() - {"points", "points_scored"}
