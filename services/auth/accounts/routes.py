"""Passwords: changing them, choosing the first one, and what to do when it is forgotten."""

from fastapi import APIRouter, Request, Response

from services.auth import cookies, devices
from services.auth.accounts import credentials, rules, service
from services.auth.accounts.credentials import Activation, Forgotten
from services.auth.accounts.schemas import (
    ActivatedOut,
    ActivationIn,
    LinkIn,
    LinkOut,
    NeutralOut,
    PasswordChangeIn,
    PasswordPageOut,
    ResetRequestIn,
)
from services.auth.accounts.service import PasswordChange
from services.auth.callers import PasswordOwner, Runtime, Stranger, account_id_of, actor_of
from shared.clock import utc_now
from shared.db import Session

router = APIRouter(prefix="/api/v1/auth", tags=["passwords"])

NEUTRAL = (
    "입력하신 정보가 등록된 정보와 일치하면 안내를 보냈습니다. 받지 못하셨다면 등록된 연락처인지 "
    "확인하시고, 담당자가 바뀌었다면 운영기관에 초기화를 요청하십시오."
)


@router.get("/password", response_model=PasswordPageOut, summary="비밀번호 변경 화면 정보")
async def show_password_page(caller: PasswordOwner, session: Session) -> PasswordPageOut:
    account, institution = await service.with_institution(session, account_id_of(caller))
    return PasswordPageOut(
        login_id=account.login_id,
        name=account.name,
        institution_name=institution.name,
        contact_phone=account.phone,
        must_change=caller.pwd_change,
        min_length=rules.MIN_PASSWORD,
        max_length=rules.MAX_PASSWORD,
    )


@router.post("/password", status_code=204, summary="비밀번호 변경")
async def change_password(
    body: PasswordChangeIn, caller: PasswordOwner, stranger: Stranger, runtime: Runtime
) -> None:
    """Ends every session of the account, this one too: log in again with the new password."""
    await service.change_password(
        runtime.sessions,
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


@router.post("/activation/check", response_model=LinkOut, summary="일회용 주소 확인")
async def check_link(body: LinkIn, runtime: Runtime, session: Session) -> LinkOut:
    """What the page behind a link shows. The token comes in the body, so that no log keeps it."""
    opening = await credentials.open_link(session, runtime.vault, body.token, now=utc_now())
    account = opening.account
    return LinkOut(
        login_id=account.login_id,
        institution_name=opening.institution_name,
        contact_required=account.password is None and account.phone is None,
        expires_at=opening.expires_at,
    )


@router.post("/activation", response_model=ActivatedOut, summary="일회용 주소로 비밀번호 정하기")
async def activate(
    body: ActivationIn, stranger: Stranger, runtime: Runtime, response: Response
) -> ActivatedOut:
    """Whoever has the link is who he says: from now on his device is one that is not slowed down
    by others guessing at his password."""
    login_id = await credentials.activate(
        runtime.sessions,
        runtime.desk,
        Activation(body.token, body.new_password, body.confirm_password, body.contact_phone),
        actor=stranger,
        now=utc_now(),
    )
    cookies.set_device(response, runtime.settings, devices.mark(runtime.vault, login_id))
    return ActivatedOut(login_id=login_id)


@router.post("/reset-requests", status_code=202, response_model=NeutralOut, summary="비밀번호 찾기")
async def ask_for_reset(
    body: ResetRequestIn, stranger: Stranger, runtime: Runtime, request: Request
) -> NeutralOut:
    """Sends a link (mail) or a temporary password (text message) to a registered contact. The
    answer is the same for everyone, and so is the time it takes (M-004)."""
    await credentials.ask_for_reset(
        runtime.sessions,
        runtime.vault,
        Forgotten(body.login_id, body.channel, body.contact),
        device=cookies.device(request, runtime.settings),
        actor=stranger,
        now=utc_now(),
    )
    return NeutralOut(message=NEUTRAL)
