"""Partner systems of an institution: registering them and changing their secrets."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from services.auth.accounts.rules import ADMINISTER_ACCOUNTS
from services.auth.callers import ManagerClaims, Stranger, actor_of
from services.auth.clients import partners
from services.auth.clients.models import Client
from services.auth.clients.partners import Keeper, NewSecret, Terms
from services.auth.clients.schemas import (
    ClientDetailOut,
    ClientIn,
    ClientOut,
    NewSecretOut,
    RegisteredOut,
    RenewIn,
    SecretOut,
    TermsIn,
)
from shared.caller import institution_of
from shared.clock import utc_now
from shared.db import Session
from shared.paging import Page, Paging, paginate
from shared.preconditions import SeenVersion, tag

router = APIRouter(prefix="/api/v1/auth/clients", tags=["partner systems"])


async def _keeping(claims: ManagerClaims, stranger: Stranger) -> Keeper:
    operator = ADMINISTER_ACCOUNTS in claims.scope
    return Keeper(actor_of(claims, stranger), None if operator else institution_of(claims))


Keeping = Annotated[Keeper, Depends(_keeping)]


@router.get("", response_model=Page[ClientOut], summary="연계 시스템 목록")
async def list_clients(
    keeper: Keeping,
    session: Session,
    page: Paging,
    institution_id: UUID | None = None,
) -> Page[ClientOut]:
    found, next_cursor, total = await paginate(
        session,
        partners.listed(keeper, institution_id),
        keys=[Client.created_at, Client.id],
        page=page,
    )
    items = [ClientOut.model_validate(item) for item in found]
    return Page(items=items, next_cursor=next_cursor, total=total)


@router.post("", status_code=201, response_model=RegisteredOut, summary="연계 시스템 등록")
async def register_client(
    body: ClientIn, keeper: Keeping, claims: ManagerClaims, session: Session
) -> RegisteredOut:
    """The secret is shown in this answer and never again."""
    client, secret = await partners.register(
        session,
        keeper,
        body.institution_id or institution_of(claims),
        _terms(body),
        test_mode=body.test_mode,
    )
    return RegisteredOut(client=ClientOut.model_validate(client), secret=_secret(client.id, secret))


@router.get("/{client_id}", response_model=ClientDetailOut, summary="연계 시스템 상세")
async def show_client(
    client_id: str, keeper: Keeping, session: Session, response: Response
) -> ClientDetailOut:
    client = await partners.kept(session, keeper, client_id)
    tag(response, client.version)
    rows = await partners.secrets_of(session, client.id)
    return ClientDetailOut(
        **ClientOut.model_validate(client).model_dump(),
        secrets=[SecretOut.model_validate(row) for row in rows],
    )


@router.put("/{client_id}", response_model=ClientOut, summary="연계 시스템 수정")
async def change_client(
    client_id: str,
    body: TermsIn,
    keeper: Keeping,
    seen: SeenVersion,
    session: Session,
    response: Response,
) -> ClientOut:
    client = await partners.change(session, keeper, client_id, _terms(body), seen=seen)
    tag(response, client.version)
    return ClientOut.model_validate(client)


@router.post("/{client_id}/disable", response_model=ClientOut, summary="연계 중지")
async def disable_client(
    client_id: str, keeper: Keeping, seen: SeenVersion, session: Session
) -> ClientOut:
    client = await partners.switch(session, keeper, client_id, on=False, seen=seen)
    return ClientOut.model_validate(client)


@router.post("/{client_id}/enable", response_model=ClientOut, summary="연계 재개")
async def enable_client(
    client_id: str, keeper: Keeping, seen: SeenVersion, session: Session
) -> ClientOut:
    client = await partners.switch(session, keeper, client_id, on=True, seen=seen)
    return ClientOut.model_validate(client)


@router.post(
    "/{client_id}/secrets", status_code=201, response_model=NewSecretOut, summary="비밀 키 교체"
)
async def renew_secret(
    client_id: str, body: RenewIn, keeper: Keeping, session: Session
) -> NewSecretOut:
    """The secret in use goes on working for `overlap_hours`. The new one is shown this once."""
    overlap = timedelta(hours=body.overlap_hours)
    secret = await partners.renew_secret(session, keeper, client_id, overlap=overlap, now=utc_now())
    return _secret(client_id, secret)


@router.delete("/{client_id}/secrets/{secret_id}", status_code=204, summary="비밀 키 폐기")
async def withdraw_secret(
    client_id: str, secret_id: UUID, keeper: Keeping, session: Session
) -> None:
    await partners.withdraw_secret(session, keeper, client_id, secret_id)


def _terms(body: TermsIn) -> Terms:
    return Terms(body.name, body.scopes, body.addresses)


def _secret(client_id: str, secret: NewSecret) -> NewSecretOut:
    return NewSecretOut(
        client_id=client_id,
        client_secret=secret.secret,
        secret=SecretOut.model_validate(secret.row),
    )
