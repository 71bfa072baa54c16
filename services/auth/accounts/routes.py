"""Routes of accounts."""

from fastapi import APIRouter

from services.auth.accounts import rules, service
from services.auth.accounts.schemas import PasswordChangeIn, PasswordPageOut
from services.auth.accounts.service import PasswordChange
from services.auth.callers import PasswordOwner, Runtime, Stranger, account_id_of, actor_of
from shared.clock import utc_now
from shared.db import Session, SessionMaker

router = APIRouter(prefix="/api/v1/auth", tags=["accounts"])


@router.get("/password", response_model=PasswordPageOut, summary="비밀번호 변경 화면 정보")
async def show_password_page(caller: PasswordOwner, session: Session) -> PasswordPageOut:
    account, institution = await service.with_institution(session, account_id_of(caller))
    return PasswordPageOut(
        login_id=account.login_id,
        name=account.name,
        institution_name=institution.name,
        contact_phone=account.phone,
        must_change=account.must_change_password,
        min_length=rules.MIN_PASSWORD,
        max_length=rules.MAX_PASSWORD,
    )


@router.post("/password", status_code=204, summary="비밀번호 변경")
async def change_password(
    body: PasswordChangeIn,
    caller: PasswordOwner,
    stranger: Stranger,
    runtime: Runtime,
    sessions: SessionMaker,
) -> None:
    await service.change_password(
        sessions,
        runtime.vault,
        runtime.passwords,
        account_id=account_id_of(caller),
        change=PasswordChange(
            body.current_password, body.new_password, body.confirm_password, body.contact_phone
        ),
        forced=caller.pwd_change,
        actor=actor_of(caller, stranger),
        now=utc_now(),
    )
