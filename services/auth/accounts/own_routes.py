"""A person's own account, sessions and second factor."""

from fastapi import APIRouter, Response

from services.auth.accounts import profile, second_factor
from services.auth.accounts.profile import Own
from services.auth.accounts.schemas import (
    CodeIn,
    EnrolmentOut,
    OwnChangeIn,
    OwnerIn,
    OwnOut,
    RecoveryCodesOut,
)
from services.auth.accounts.second_factor import Owner
from services.auth.accounts.staff import Person
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
from shared.preconditions import SeenVersion, tag
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/auth", tags=["own account"])


@router.get("/me", response_model=OwnOut, summary="내 계정")
async def show_own_account(caller: Self, session: Session, response: Response) -> OwnOut:
    own = await profile.show(session, account_id_of(caller))
    tag(response, own.account.version)
    return _own(own, caller)


@router.put("/me", response_model=OwnOut, summary="내 정보 수정")
async def change_own_account(
    body: OwnChangeIn,
    caller: Self,
    actor: CallingActor,
    seen: SeenVersion,
    runtime: Runtime,
    response: Response,
) -> OwnOut:
    own = await profile.change(
        runtime.sessions,
        runtime.vault,
        runtime.passwords,
        account_id_of(caller),
        Person(body.name, body.department, body.phone, body.mobile, body.email),
        current_password=body.current_password,
        seen=seen,
        actor=actor,
        now=utc_now(),
    )
    tag(response, own.account.version)
    return _own(own, caller)


@router.post("/second-factor", response_model=EnrolmentOut, summary="2단계 인증 등록 시작")
async def begin_second_factor(
    body: OwnerIn, caller: FactorOwner, stranger: Stranger, runtime: Runtime
) -> EnrolmentOut:
    enrolment = await second_factor.begin(
        runtime.sessions,
        runtime.vault,
        runtime.passwords,
        Owner(account_id_of(caller), body.current_password),
        first_only=enrols_only(caller),
        actor=actor_of(caller, stranger),
        now=utc_now(),
    )
    return EnrolmentOut(secret=enrolment.secret, uri=enrolment.uri)


@router.post(
    "/second-factor/confirm", response_model=RecoveryCodesOut, summary="2단계 인증 등록 완료"
)
async def confirm_second_factor(
    body: CodeIn, caller: FactorOwner, stranger: Stranger, runtime: Runtime, session: Session
) -> RecoveryCodesOut:
    """The recovery codes are shown this once."""
    codes = await second_factor.confirm(
        session,
        runtime.vault,
        account_id_of(caller),
        body.code,
        first_only=enrols_only(caller),
        actor=actor_of(caller, stranger),
        now=utc_now(),
    )
    return RecoveryCodesOut(recovery_codes=codes)


@router.post(
    "/second-factor/recovery-codes", response_model=RecoveryCodesOut, summary="복구 코드 재발급"
)
async def renew_recovery_codes(
    body: OwnerIn, caller: Self, actor: CallingActor, runtime: Runtime
) -> RecoveryCodesOut:
    codes = await second_factor.renew_recovery_codes(
        runtime.sessions,
        runtime.vault,
        runtime.passwords,
        Owner(account_id_of(caller), body.current_password),
        actor=actor,
        now=utc_now(),
    )
    return RecoveryCodesOut(recovery_codes=codes)


@router.post("/second-factor/remove", status_code=204, summary="2단계 인증 해제")
async def remove_second_factor(
    body: OwnerIn, caller: Self, actor: CallingActor, runtime: Runtime
) -> None:
    await second_factor.remove(
        runtime.sessions,
        runtime.vault,
        runtime.passwords,
        Owner(account_id_of(caller), body.current_password),
        needed_by_operators=runtime.settings.operator_second_factor,
        actor=actor,
        now=utc_now(),
    )


def _own(own: Own, caller: Claims) -> OwnOut:
    account, institution = own.account, own.institution
    return OwnOut(
        id=account.id,
        login_id=account.login_id,
        role=account.role,
        is_lead=account.is_lead,
        name=account.name,
        department=account.department,
        phone=account.phone,
        mobile=account.mobile,
        email=account.email,
        institution_id=institution.id,
        institution_name=institution.name,
        institution_kind=institution.kind,
        fields=own.fields,
        scopes=sorted(caller.scope),
        second_factor=account.has_second_factor,
        password_changed_at=account.password_changed_at,
        version=account.version,
    )
