"""Which documents also serve an application for mileage: asked by the grants service (C-4).

Only files can be found here: a sheet has neither deposit references nor approval numbers.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from sqlalchemy import select

from services.accrual.applications.models import Application, ApplicationFile
from shared.caller import requires
from shared.db import Session
from shared.problems import PermissionDenied
from shared.schemas import MarksFound, MarksIn
from shared.tokens import Claims

internal = APIRouter(prefix="/internal/evidence-claims", tags=["internal"])

Reader = Annotated[Claims, Depends(requires("accrual:read"))]


@internal.post("", response_model=MarksFound)
async def find_evidence_claims(body: MarksIn, reader: Reader, session: Session) -> Any:
    """Marks that serve an application under way or posted. For services."""
    if reader.institution_id is not None:
        raise PermissionDenied
    query = (
        select(ApplicationFile.sha256, Application.number)
        .join(Application, Application.id == ApplicationFile.application_id)
        .where(
            ApplicationFile.sha256.in_(body.marks),
            Application.number.is_not(None),
            Application.state.not_in(("draft", "cancelled", "rejected")),
        )
        .order_by(Application.number)
    )
    found = {mark: f"적립신청 {number}" for mark, number in await session.execute(query)}
    return {"items": [{"mark": mark, "where": where} for mark, where in found.items()]}
