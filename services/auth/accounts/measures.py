"""Measures a lead or the operator takes: shutting, opening, resetting and unlocking accounts.

Nobody takes them against himself: an operator who disables himself would have to be let in again
by someone who may not be there.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth.accounts import credentials, second_factor, service
from services.auth.accounts.credentials import Desk
from services.auth.accounts.models import Account
from services.auth.accounts.rules import Status
from services.auth.accounts.service import note
from services.auth.accounts.staff import Manager, Opened, managed
from services.auth.accounts.throttle import forgive_everywhere
from services.auth.audit.service import SYSTEM, record
from services.auth.errors import SelfTreatment
from services.auth.institutions.models import Institution
from services.auth.vault import Vault
from shared.db import Sessions
from shared.problems import StateConflict

FORGOTTEN_NAME = "(파기)"


async def disable(
    session: AsyncSession, manager: Manager, account_id: UUID, *, now: datetime
) -> Account:
    """Shut an account: refused everywhere within seconds, until `enable`."""
    account = await _to_treat(session, manager, account_id, Status.ACTIVE)
    account.status = Status.DISABLED
    account.version += 1
    note(session, manager.actor, account, "account.disabled")
    await service.end_everything(session, account, reason="disabled", now=now)
    return account


async def enable(session: AsyncSession, manager: Manager, account_id: UUID) -> Account:
    account = await _to_treat(session, manager, account_id, Status.DISABLED)
    account.status = Status.ACTIVE
    account.version += 1
    note(session, manager.actor, account, "account.enabled")
    return account


async def remove(
    session: AsyncSession, manager: Manager, account_id: UUID, *, now: datetime
) -> None:
    """Close an account for good. Its id is never given to anyone else; what it did stays."""
    account = await _to_treat(session, manager, account_id)
    account.status = Status.REMOVED
    account.password = None
    account.version += 1
    await service.withdraw_credentials(session, account.id)
    await second_factor.clear(session, account, actor=manager.actor)
    note(session, manager.actor, account, "account.removed")
    await service.end_everything(session, account, reason="removed", now=now)


async def forget_removed(session: AsyncSession, before: datetime) -> int:
    """Destroy the personal data of accounts removed before an instant (A7); returns how many. The
    row and its id stay, so that what the account did still has an author."""
    forgotten = await session.execute(
        update(Account)
        .where(
            Account.status == Status.REMOVED,
            Account.updated_at < before,
            Account.name != FORGOTTEN_NAME,
        )
        .values(name=FORGOTTEN_NAME, department=None, phone=None, mobile=None, email=None)
        .returning(Account.id)
    )
    ids = forgotten.scalars().all()
    for account_id in ids:
        record(
            session,
            SYSTEM,
            "personal_data.destroyed",
            object_type="account",
            object_id=account_id,
        )
    return len(ids)


async def reset(
    sessions: Sessions, desk: Desk, manager: Manager, account_id: UUID, *, now: datetime
) -> Opened:
    """Give an account to its next user (담당자 변경, S1:155): the old password and every session
    end, misses are forgotten, and a new first way in is handed out."""
    async with sessions.begin() as session:
        account = await _to_treat(session, manager, account_id, Status.ACTIVE)
        institution = await session.get_one(Institution, account.institution_id)
        credential = await credentials.give_initial(session, desk, account, institution, now=now)
        account.version += 1
        await second_factor.clear(session, account, actor=manager.actor)
        await forgive_everywhere(session, desk.vault, account.login_id)
        note(session, manager.actor, account, "account.reset")
        await service.end_everything(session, account, reason="reset", now=now)
    return Opened(account, credential)


async def unlock(session: AsyncSession, vault: Vault, manager: Manager, account_id: UUID) -> None:
    """Forget the misses of an account, so that its user need not wait."""
    account = await managed(session, manager, account_id)
    await forgive_everywhere(session, vault, account.login_id)
    note(session, manager.actor, account, "account.unlocked")


async def end_sessions(
    session: AsyncSession, manager: Manager, account_id: UUID, *, now: datetime
) -> None:
    account = await _to_treat(session, manager, account_id)
    note(session, manager.actor, account, "account.sessions_ended")
    await service.end_everything(session, account, reason="manager", now=now)


async def _to_treat(
    session: AsyncSession, manager: Manager, account_id: UUID, state: Status | None = None
) -> Account:
    account = await managed(session, manager, account_id)
    await session.refresh(account, with_for_update=True)
    if account.id == manager.account_id:
        raise SelfTreatment
    if state is not None and account.status != state:
        raise StateConflict(state=account.status)
    return account
