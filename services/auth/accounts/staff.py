"""Managing accounts: sub-accounts and staff by their lead (M-006), any account by the operator.

Whom a manager may touch is decided in one place, `managed`: a lead sees the accounts under him,
the operator sees all; everything else does not exist for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth import masking
from services.auth.accounts import credentials, rules, service
from services.auth.accounts.credentials import Desk, InitialCredential
from services.auth.accounts.models import Account, FieldPermission, FieldPermissionEvent
from services.auth.accounts.rules import STAFF_ROLE, Role, Status
from services.auth.accounts.service import note
from services.auth.audit.service import Actor
from services.auth.errors import (
    DUP_CHECK_REQUIRED,
    FIELD_TWICE,
    FIELDS_NOT_HERE,
    LOGIN_ID_FORM,
    LOGIN_ID_RULE,
    LOGIN_ID_TAKEN,
    ROLE_NOT_HERE,
)
from services.auth.institutions.models import Institution
from services.auth.vault import Vault
from shared.db import Sessions
from shared.problems import Finding, Invalid, NotFound, Stale


@dataclass(frozen=True, slots=True)
class Manager:
    """Who manages: a lead (`account_id`), or the operator, who sees everyone."""

    actor: Actor
    account_id: UUID
    sees_all: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Who uses an account and how he is reached."""

    name: str
    department: str | None
    phone: str | None
    mobile: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    field: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be opened. `proof` shows that the duplicate check was done (M-006)."""

    login_id: str
    proof: str | None
    person: Person
    fields: Sequence[Grant] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    account: Account
    credential: InitialCredential


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of a duplicate check; `proof` goes with the new account."""

    login_id: str
    available: bool
    findings: Sequence[Finding]
    proof: str | None


def listed(manager: Manager, *, institution_id: UUID | None, text: str | None) -> Select[Account]:
    """The accounts a manager sees, narrowed by institution and by id or name."""
    query = select(Account).where(Account.status != Status.REMOVED)
    if not manager.sees_all:
        query = query.where(Account.parent_id == manager.account_id)
    if institution_id is not None:
        query = query.where(Account.institution_id == institution_id)
    if text:
        found = [one.icontains(text, autoescape=True) for one in (Account.login_id, Account.name)]
        query = query.where(or_(*found))
    return query


def evaluators(institution_id: UUID) -> Select[Account]:
    """The evaluators of an agency, whom its officers give proposals to judge."""
    return select(Account).where(
        Account.institution_id == institution_id,
        Account.role == Role.EVALUATOR,
        Account.status == Status.ACTIVE,
    )


async def managed(
    session: AsyncSession, manager: Manager, account_id: UUID, *, seen: int | None = None
) -> Account:
    """An account this manager may touch, locked when `seen` tells that it will be changed.
    Raises `NotFound`, or `Stale` if it is not the version that was seen."""
    account = await session.get(Account, account_id, with_for_update=seen is not None)
    if account is None or account.status == Status.REMOVED:
        raise NotFound
    if not manager.sees_all and account.parent_id != manager.account_id:
        raise NotFound
    if seen is not None and account.version != seen:
        raise Stale
    return account


# --- opening ----------------------------------------------------------------------------------


async def check_login_id(
    session: AsyncSession, vault: Vault, manager: Manager, typed: str
) -> Checked:
    """The duplicate check of the registration form (중복검사). It is done again when saving: the
    proof only shows that the person saw its outcome."""
    login_id = rules.login_id_of(typed)
    findings = await _login_id_findings(session, manager, login_id)
    proof = _proof(vault, manager, login_id) if not findings else None
    return Checked(login_id, not findings, findings, proof)


async def open_staff(
    sessions: Sessions, desk: Desk, manager: Manager, new: NewAccount, *, now: datetime
) -> Opened:
    """Open an account under a lead. Raises `Invalid` with every finding."""
    login_id = rules.login_id_of(new.login_id)
    async with sessions.begin() as session:
        lead = await service.account_of(session, manager.account_id)
        if not lead.is_lead or Role(lead.role) not in STAFF_ROLE:
            raise NotFound
        role = STAFF_ROLE[Role(lead.role)]
        findings = await _login_id_findings(session, manager, login_id)
        if not findings and new.proof != _proof(desk.vault, manager, login_id):
            findings.append(DUP_CHECK_REQUIRED.at("/proof", field="login_id"))
        findings += _field_findings(role, new.fields)
        if findings:
            raise Invalid(errors=findings)
        account = await _open(session, lead.institution_id, role, login_id, new.person, lead.id)
        await _set_fields(session, account, new.fields, actor=manager.actor)
        institution = await session.get_one(Institution, account.institution_id)
        credential = await credentials.give_initial(session, desk, account, institution, now=now)
        note(session, manager.actor, account, "account.opened", after=facts(account))
    return Opened(account, credential)


async def open_lead(
    sessions: Sessions,
    desk: Desk,
    manager: Manager,
    institution_id: UUID,
    role: Role,
    new: NewAccount,
    *,
    now: datetime,
) -> Opened:
    """Open an account of an institution, by the operator. Raises `Invalid` with every finding."""
    login_id = rules.login_id_of(new.login_id)
    async with sessions.begin() as session:
        institution = await session.get(Institution, institution_id)
        if institution is None:
            raise NotFound
        findings = await _lead_findings(session, institution, role, login_id)
        if findings:
            raise Invalid(errors=findings)
        account = await _open(session, institution.id, role, login_id, new.person, None)
        credential = await credentials.give_initial(session, desk, account, institution, now=now)
        note(session, manager.actor, account, "account.opened", after=facts(account))
    return Opened(account, credential)


async def _lead_findings(
    session: AsyncSession, institution: Institution, role: Role, login_id: str
) -> list[Finding]:
    findings: list[Finding] = []
    if role not in rules.ROLES_OF_KIND[institution.kind]:
        findings.append(ROLE_NOT_HERE.at("/role", field="role", role=role.value))
    if not (rules.is_login_id(login_id) or login_id == institution.brn):
        findings.append(LOGIN_ID_FORM.at("/login_id", field="login_id"))
    elif await service.by_login_id(session, login_id) is not None:
        findings.append(LOGIN_ID_TAKEN.at("/login_id", field="login_id"))
    return findings


async def _open(
    session: AsyncSession,
    institution_id: UUID,
    role: Role,
    login_id: str,
    person: Person,
    parent_id: UUID | None,
) -> Account:
    account = Account(
        login_id=login_id, institution_id=institution_id, role=role, parent_id=parent_id
    )
    describe_person(account, person)
    try:
        async with session.begin_nested():
            session.add(account)
    except IntegrityError as error:  # taken between our look and now
        raise Invalid(errors=[LOGIN_ID_TAKEN.at("/login_id", field="login_id")]) from error
    return account


async def _login_id_findings(
    session: AsyncSession, manager: Manager, login_id: str
) -> list[Finding]:
    lead = await service.account_of(session, manager.account_id)
    if not rules.is_staff_id(login_id, lead.login_id):
        return [LOGIN_ID_RULE.at("/login_id", field="login_id", parent=lead.login_id)]
    if await service.by_login_id(session, login_id) is not None:
        return [LOGIN_ID_TAKEN.at("/login_id", field="login_id")]
    return []


def _proof(vault: Vault, manager: Manager, login_id: str) -> str:
    return vault.mac("login-id-checked", manager.account_id.bytes, login_id.encode()).hex()


# --- changing ---------------------------------------------------------------------------------


async def describe(
    session: AsyncSession, manager: Manager, account_id: UUID, person: Person, *, seen: int
) -> Account:
    """Change who uses an account and how he is reached."""
    account = await managed(session, manager, account_id, seen=seen)
    before = facts(account)
    describe_person(account, person)
    account.version += 1
    note(session, manager.actor, account, "account.changed", before, facts(account))
    return account


async def set_fields(
    session: AsyncSession,
    manager: Manager,
    account_id: UUID,
    grants: Sequence[Grant],
    *,
    seen: int,
) -> Account:
    """Replace a sub-account's field permissions: a field left out is taken away, and the history
    stays (M-006). Tokens issued before are refused within seconds; a refresh gives new ones."""
    account = await managed(session, manager, account_id, seen=seen)
    if findings := _field_findings(Role(account.role), grants):
        raise Invalid(errors=findings)
    if await _set_fields(session, account, grants, actor=manager.actor):
        account.version += 1
        await service.outdate_tokens(session, account)
    return account


async def _set_fields(
    session: AsyncSession, account: Account, grants: Sequence[Grant], *, actor: Actor
) -> bool:
    before = {row.field: row.enabled for row in await fields_of(session, account.id)}
    after = {grant.field: grant.enabled for grant in grants}
    changes = rules.field_changes(before, after)
    if not changes:
        return False
    await session.execute(delete(FieldPermission).where(FieldPermission.account_id == account.id))
    if after:
        rows = [{"account_id": account.id, "field": f, "enabled": on} for f, on in after.items()]
        await session.execute(insert(FieldPermission), rows)
    events = [
        {"account_id": account.id, "field": f, "change": change, "changed_by": actor.sub}
        for f, change in changes
    ]
    await session.execute(insert(FieldPermissionEvent), events)
    note(session, actor, account, "account.fields_changed", before, after)
    return True


async def reveal(
    session: AsyncSession, manager: Manager, account_id: UUID, *, purpose: str
) -> Account:
    """An account with its contacts in full: personal data, so the purpose goes on record (A7)."""
    account = await managed(session, manager, account_id)
    note(session, manager.actor, account, "personal_data.viewed", purpose=purpose)
    return account


async def fields_of(session: AsyncSession, account_id: UUID) -> Sequence[FieldPermission]:
    query = select(FieldPermission).where(FieldPermission.account_id == account_id)
    return (await session.scalars(query.order_by(FieldPermission.field))).all()


def field_history(account_id: UUID) -> Select[FieldPermissionEvent]:
    return select(FieldPermissionEvent).where(FieldPermissionEvent.account_id == account_id)


def _field_findings(role: Role, grants: Sequence[Grant]) -> list[Finding]:
    if role != Role.SUB_ACCOUNT:
        return [FIELDS_NOT_HERE.at("/fields", field="fields")] if grants else []
    seen: set[str] = set()
    findings: list[Finding] = []
    for place, grant in enumerate(grants):
        if grant.field in seen:
            findings.append(FIELD_TWICE.at(f"/fields/{place}/field", field="field"))
        seen.add(grant.field)
    return findings


def describe_person(account: Account, person: Person) -> None:
    account.name = person.name
    account.department = person.department
    account.phone = person.phone
    account.mobile = person.mobile
    account.email = person.email


def facts(account: Account) -> dict[str, object]:
    """What the audit trail keeps of an account: enough to see a change, no contact in full."""
    return {
        "login_id": account.login_id,
        "role": account.role,
        "name": masking.masked_name(account.name),
        "department": account.department,
        "phone": masking.masked_phone(account.phone),
        "mobile": masking.masked_phone(account.mobile),
        "email": masking.masked_email(account.email),
    }
