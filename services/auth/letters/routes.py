"""Where other services hand in their letters."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.auth.callers import CallingActor, Runtime
from services.auth.letters import service
from services.auth.letters.schemas import LetterIn, LetterOut
from shared.caller import requires
from shared.db import Session
from shared.tokens import Claims

internal = APIRouter(prefix="/internal/letters", tags=["internal"])
Writer = Annotated[Claims, Depends(requires("letters:send"))]


@internal.post("", response_model=LetterOut, summary="기관 담당자에게 편지 보내기")
async def send_letter(
    body: LetterIn, caller: Writer, actor: CallingActor, runtime: Runtime, session: Session
) -> LetterOut:
    asked = service.Asked(**body.model_dump())
    return LetterOut(recipients=await service.send(session, runtime.desk, asked, actor))
