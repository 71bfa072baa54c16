"""Passkeys over HTTP: asking for a challenge, and the caller's own."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter

from services.auth.accounts import passkeys
from services.auth.accounts.rules import PasskeyUse
from services.auth.accounts.schemas import (
    OwnerIn,
    PasskeyAskIn,
    PasskeyIn,
    PasskeyOut,
    PasskeyRegisteredOut,
)
from services.auth.accounts.second_factor import Owner
from services.auth.callers import (
    CallingActor,
    FactorOwner,
    Runtime,
    Self,
    Stranger,
    account_id_of,
    actor_of,
    enrols_only,
)
from shared.clock import utc_now
from shared.db import Session

router = APIRouter(prefix="/api/v1/auth/passkeys", tags=["own account"])


@router.post("/challenge", response_model=dict[str, Any], summary="패스키 확인 요청")
async def ask_for_passkey(body: PasskeyAskIn, runtime: Runtime, session: Session) -> dict[str, Any]:
    """`navigator.credentials.get()`에 넘길 값(`parseRequestOptionsFromJSON`). 로그인 없이 받으며,
    5분 안에 한 번만 쓸 수 있습니다. 답은 `/token`의 `passkey`로 보냅니다."""
    return await passkeys.ask(session, runtime.party, PasskeyUse(body.use), now=utc_now())


@router.post("/registration", response_model=dict[str, Any], summary="패스키 등록 시작")
async def begin_passkey(
    body: OwnerIn, caller: FactorOwner, stranger: Stranger, runtime: Runtime
) -> dict[str, Any]:
    """`navigator.credentials.create()`에 넘길 값(`parseCreationOptionsFromJSON`)."""
    return await passkeys.begin(
        runtime.sessions,
        runtime.vault,
        runtime.passwords,
        runtime.party,
        Owner(account_id_of(caller), body.current_password),
        first_only=enrols_only(caller),
        actor=actor_of(caller, stranger),
        now=utc_now(),
    )


@router.post("", status_code=201, response_model=PasskeyRegisteredOut, summary="패스키 등록 완료")
async def register_passkey(
    body: PasskeyIn, caller: FactorOwner, stranger: Stranger, runtime: Runtime
) -> PasskeyRegisteredOut:
    """복구 코드는 첫 2단계 인증 수단을 등록할 때 한 번만 보여 줍니다."""
    registered = await passkeys.register(
        runtime.sessions,
        runtime.vault,
        runtime.party,
        account_id_of(caller),
        body.name,
        body.credential,
        first_only=enrols_only(caller),
        actor=actor_of(caller, stranger),
        now=utc_now(),
    )
    return PasskeyRegisteredOut(
        passkey=PasskeyOut.model_validate(registered.passkey),
        recovery_codes=registered.recovery_codes,
    )


@router.get("", response_model=list[PasskeyOut], summary="내 패스키")
async def list_passkeys(caller: Self, session: Session) -> object:
    return await passkeys.listed(session, account_id_of(caller))


@router.post("/{passkey_id}/remove", status_code=204, summary="패스키 삭제")
async def remove_passkey(
    passkey_id: UUID, body: OwnerIn, caller: Self, actor: CallingActor, runtime: Runtime
) -> None:
    await passkeys.remove(
        runtime.sessions,
        runtime.vault,
        runtime.passwords,
        Owner(account_id_of(caller), body.current_password),
        passkey_id,
        needed_by_operators=runtime.settings.operator_second_factor,
        actor=actor,
        now=utc_now(),
    )
