"""A person's own sessions: seeing them, ending one, ending all others."""

from uuid import UUID

from fastapi import APIRouter

from services.auth.callers import CallingActor, Runtime, Self, account_id_of
from services.auth.sessions import service
from services.auth.sessions.schemas import SessionOut, SessionsOut
from shared.clock import utc_now
from shared.db import Session

router = APIRouter(prefix="/api/v1/auth/sessions", tags=["own account"])


@router.get("", response_model=SessionsOut, summary="로그인된 기기")
async def list_sessions(caller: Self, session: Session, runtime: Runtime) -> SessionsOut:
    found = await service.live_sessions(
        session, account_id_of(caller), now=utc_now(), lifetimes=runtime.lifetimes
    )
    return SessionsOut(
        items=[
            SessionOut(
                id=item.id,
                started_at=item.started_at,
                last_used_at=item.rotated_at,
                expires_at=item.expires_at,
                address=item.address,
                user_agent=item.user_agent,
                current=str(item.id) == caller.sid,
            )
            for item in found
        ]
    )


@router.delete("/{session_id}", status_code=204, summary="기기 로그아웃")
async def end_session(
    session_id: UUID, caller: Self, actor: CallingActor, session: Session
) -> None:
    await service.end_own(session, account_id_of(caller), session_id, actor=actor, now=utc_now())


@router.post("/end-others", status_code=204, summary="다른 기기 모두 로그아웃")
async def end_other_sessions(caller: Self, actor: CallingActor, session: Session) -> None:
    current = UUID(caller.sid) if caller.sid else None
    await service.end_others(session, account_id_of(caller), current, actor=actor, now=utc_now())
