"""Managing accounts: a lead those under him, the operator all of them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.auth import masking
from services.auth.accounts import measures, staff
from services.auth.accounts.models import Account, FieldPermissionEvent
from services.auth.accounts.schemas import (
    AccountLineOut,
    AccountOut,
    CredentialOut,
    EvaluatorOut,
    FieldEventOut,
    FieldsIn,
    GrantIn,
    GrantOut,
    LeadIn,
    LoginIdIn,
    LoginIdOut,
    OpenedOut,
    PersonIn,
    PersonOut,
    StaffIn,
)
from services.auth.accounts.staff import Grant, Manager, NewAccount, Opened, Person
from services.auth.callers import Managing, Officer, Operator, Runtime
from services.auth.institutions.schemas import PurposeIn
from shared.app import language
from shared.caller import institution_of
from shared.clock import utc_now
from shared.db import Session
from shared.paging import Page, Paging, paginate
from shared.preconditions import SeenVersion, tag

router = APIRouter(prefix="/api/v1/auth", tags=["accounts"])


@router.get("/accounts", response_model=Page[AccountLineOut], summary="계정 목록")
async def list_accounts(
    manager: Managing,
    session: Session,
    page: Paging,
    institution_id: UUID | None = None,
    q: Annotated[str | None, Query(max_length=50, description="아이디 또는 담당자명")] = None,
) -> Page[AccountLineOut]:
    found, next_cursor, total = await paginate(
        session,
        staff.listed(manager, institution_id=institution_id, text=q),
        keys=[Account.login_id],
        page=page,
        descending=False,
    )
    return Page(items=[_line(item) for item in found], next_cursor=next_cursor, total=total)


@router.get("/evaluators", response_model=Page[EvaluatorOut], summary="우리 기관의 평가위원")
async def list_evaluators(officer: Officer, session: Session, page: Paging) -> Page[EvaluatorOut]:
    """전문기관의 담당자가 사업계획서를 배정할 수 있는, 사용 중인 평가위원 계정입니다."""
    found, next_cursor, total = await paginate(
        session,
        staff.evaluators(institution_of(officer)),
        keys=[Account.login_id],
        page=page,
        descending=False,
    )
    items = [EvaluatorOut.model_validate(item) for item in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.post("/accounts/login-id-checks", response_model=LoginIdOut, summary="아이디 중복검사")
async def check_login_id(
    body: LoginIdIn, manager: Managing, session: Session, runtime: Runtime, request: Request
) -> LoginIdOut:
    checked = await staff.check_login_id(session, runtime.vault, manager, body.login_id)
    first = checked.findings[0] if checked.findings else None
    return LoginIdOut(
        login_id=checked.login_id,
        available=checked.available,
        code=first.code if first else None,
        message=first.message(language(request)) if first else None,
        proof=checked.proof,
    )


@router.post("/accounts", status_code=201, response_model=OpenedOut, summary="하위계정 등록")
async def open_staff(body: StaffIn, manager: Managing, runtime: Runtime) -> OpenedOut:
    """The id must have passed the duplicate check (`proof`); it is checked once more here."""
    new = NewAccount(body.login_id, body.proof, _person(body), _grants(body.fields))
    opened = await staff.open_staff(runtime.sessions, runtime.desk, manager, new, now=utc_now())
    return _opened(opened, manager, _grants(body.fields))


@router.post(
    "/institutions/{institution_id}/accounts",
    status_code=201,
    response_model=OpenedOut,
    summary="기관 계정 등록",
)
async def open_lead(
    institution_id: UUID, body: LeadIn, operator: Operator, manager: Managing, runtime: Runtime
) -> OpenedOut:
    new = NewAccount(body.login_id, None, _person(body))
    opened = await staff.open_lead(
        runtime.sessions, runtime.desk, manager, institution_id, body.role, new, now=utc_now()
    )
    return _opened(opened, manager, [])


@router.get("/accounts/{account_id}", response_model=AccountOut, summary="계정 상세")
async def show_account(
    account_id: UUID, manager: Managing, session: Session, response: Response
) -> AccountOut:
    account = await staff.managed(session, manager, account_id)
    return await _answer(session, response, manager, account)


@router.put("/accounts/{account_id}", response_model=AccountOut, summary="계정 수정")
async def describe_account(
    account_id: UUID,
    body: PersonIn,
    manager: Managing,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> AccountOut:
    account = await staff.describe(session, manager, account_id, _person(body), seen=seen)
    return await _answer(session, response, manager, account)


@router.put("/accounts/{account_id}/fields", response_model=AccountOut, summary="적립분야 권한")
async def set_fields(
    account_id: UUID,
    body: FieldsIn,
    manager: Managing,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> AccountOut:
    """The complete list: a field left out is taken away."""
    account = await staff.set_fields(session, manager, account_id, _grants(body.fields), seen=seen)
    return await _answer(session, response, manager, account)


@router.get(
    "/accounts/{account_id}/field-history",
    response_model=Page[FieldEventOut],
    summary="적립분야 권한 이력",
)
async def show_field_history(
    account_id: UUID, manager: Managing, session: Session, page: Paging
) -> Page[FieldEventOut]:
    account = await staff.managed(session, manager, account_id)
    found, next_cursor, total = await paginate(
        session, staff.field_history(account.id), keys=[FieldPermissionEvent.id], page=page
    )
    items = [FieldEventOut.model_validate(item) for item in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.post("/accounts/{account_id}/reveal", response_model=PersonOut, summary="개인정보 열람")
async def reveal_person(
    account_id: UUID, body: PurposeIn, manager: Managing, session: Session
) -> PersonOut:
    """Contacts in full, for a stated purpose, on record."""
    account = await staff.reveal(session, manager, account_id, purpose=body.purpose)
    return PersonOut.model_validate(account)


@router.post("/accounts/{account_id}/disable", response_model=AccountOut, summary="사용 정지")
async def disable_account(
    account_id: UUID, manager: Managing, session: Session, response: Response
) -> AccountOut:
    account = await measures.disable(session, manager, account_id, now=utc_now())
    return await _answer(session, response, manager, account)


@router.post("/accounts/{account_id}/enable", response_model=AccountOut, summary="사용 재개")
async def enable_account(
    account_id: UUID, manager: Managing, session: Session, response: Response
) -> AccountOut:
    account = await measures.enable(session, manager, account_id)
    return await _answer(session, response, manager, account)


@router.post("/accounts/{account_id}/remove", status_code=204, summary="계정 삭제")
async def remove_account(account_id: UUID, manager: Managing, session: Session) -> None:
    await measures.remove(session, manager, account_id, now=utc_now())


@router.post("/accounts/{account_id}/reset", response_model=CredentialOut, summary="초기화")
async def reset_account(account_id: UUID, manager: Managing, runtime: Runtime) -> CredentialOut:
    """For a new person in charge: the old password and all sessions end."""
    opened = await measures.reset(
        runtime.sessions, runtime.desk, manager, account_id, now=utc_now()
    )
    return _credential(opened)


@router.post("/accounts/{account_id}/unlock", status_code=204, summary="로그인 대기 해제")
async def unlock_account(
    account_id: UUID, manager: Managing, session: Session, runtime: Runtime
) -> None:
    await measures.unlock(session, runtime.vault, manager, account_id)


@router.post("/accounts/{account_id}/end-sessions", status_code=204, summary="모든 기기 로그아웃")
async def end_sessions(account_id: UUID, manager: Managing, session: Session) -> None:
    await measures.end_sessions(session, manager, account_id, now=utc_now())


def _person(body: PersonIn) -> Person:
    return Person(body.name, body.department, body.phone, body.mobile, body.email)


def _grants(fields: list[GrantIn]) -> list[Grant]:
    return [Grant(item.field, item.enabled) for item in fields]


async def _answer(
    session: Session, response: Response, manager: Manager, account: Account
) -> AccountOut:
    tag(response, account.version)
    rows = await staff.fields_of(session, account.id)
    return _account(account, manager, [Grant(row.field, row.enabled) for row in rows])


def _account(account: Account, manager: Manager, grants: list[Grant]) -> AccountOut:
    hide = manager.sees_all
    return AccountOut(
        id=account.id,
        login_id=account.login_id,
        role=account.role,
        status=account.status,
        institution_id=account.institution_id,
        parent_id=account.parent_id,
        name=masking.masked_name(account.name) if hide else account.name,
        department=account.department,
        phone=masking.masked_phone(account.phone) if hide else account.phone,
        mobile=masking.masked_phone(account.mobile) if hide else account.mobile,
        email=masking.masked_email(account.email) if hide else account.email,
        fields=[GrantOut(field=grant.field, enabled=grant.enabled) for grant in grants],
        activated=account.password is not None,
        second_factor=account.has_second_factor,
        last_login_at=account.last_login_at,
        created_at=account.created_at,
        version=account.version,
    )


def _line(account: Account) -> AccountLineOut:
    return AccountLineOut(
        id=account.id,
        login_id=account.login_id,
        role=account.role,
        status=account.status,
        institution_id=account.institution_id,
        name=masking.masked_name(account.name),
        department=account.department,
        activated=account.password is not None,
        last_login_at=account.last_login_at,
    )


def _opened(opened: Opened, manager: Manager, grants: list[Grant]) -> OpenedOut:
    return OpenedOut(
        account=_account(opened.account, manager, grants), credential=_credential(opened)
    )


def _credential(opened: Opened) -> CredentialOut:
    credential = opened.credential
    return CredentialOut(
        login_id=opened.account.login_id,
        link=credential.link,
        expires_at=credential.expires_at,
        sent_to=credential.sent_to,
        password_is_login_id=credential.link is None,
    )
