"""What an institution keeps up to date about itself (M-005), and its campuses."""

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.auth import masking
from services.auth.audit.service import SYSTEM, Actor, record
from services.auth.errors import CAMPUS_TAKEN, COMPANY_FIELD_ONLY
from services.auth.institutions.models import Campus, Institution
from services.auth.institutions.rules import Kind, Status
from services.auth.institutions.service import note
from shared.clock import seoul_day
from shared.problems import Invalid, NotFound, Stale


@dataclass(frozen=True, slots=True)
class Profile:
    """M-005, and for companies M-055. Contacts receive the platform's notices."""

    postcode: str
    address: str
    phone: str | None
    university_code: str | None
    admin_name: str | None
    admin_phone: str | None
    admin_email: str | None
    manager_name: str | None
    manager_department: str
    manager_phone: str | None
    manager_mobile: str
    manager_email: str | None
    ceo_name: str | None = None
    company_size: str | None = None
    industry: str | None = None


COMPANY_FIELDS = ("ceo_name", "company_size", "industry")
PERSONAL = {
    "admin_name": masking.masked_name,
    "manager_name": masking.masked_name,
    "ceo_name": masking.masked_name,
    "admin_phone": masking.masked_phone,
    "manager_phone": masking.masked_phone,
    "manager_mobile": masking.masked_phone,
    "admin_email": masking.masked_email,
    "manager_email": masking.masked_email,
}


CONTACTS = (*PERSONAL, "manager_department")


async def institution_of(session: AsyncSession, institution_id: UUID) -> Institution:
    institution = await session.get(Institution, institution_id)
    if institution is None:
        raise NotFound
    return institution


async def locked(session: AsyncSession, institution_id: UUID, seen: int) -> Institution:
    institution = await session.get(Institution, institution_id, with_for_update=True)
    if institution is None:
        raise NotFound
    if institution.version != seen:
        raise Stale
    return institution


async def change(
    session: AsyncSession, institution_id: UUID, profile: Profile, *, seen: int, actor: Actor
) -> Institution:
    """Save a profile. Raises `Invalid` for fields this kind of institution does not have."""
    institution = await locked(session, institution_id, seen)
    given = asdict(profile)
    if institution.kind != Kind.COMPANY:
        extra = [name for name in COMPANY_FIELDS if given.pop(name) is not None]
        if extra:
            raise Invalid(errors=[COMPANY_FIELD_ONLY.at(f"/{name}", field=name) for name in extra])
    before = {name: getattr(institution, name) for name in given}
    for name, value in given.items():
        setattr(institution, name, value)
    institution.version += 1
    changed = [name for name in given if before[name] != given[name]]
    note(
        session,
        actor,
        institution,
        "institution.profile_changed",
        before={name: hidden(name, before[name]) for name in changed},
        after={name: hidden(name, given[name]) for name in changed},
    )
    return institution


async def reveal(
    session: AsyncSession, institution_id: UUID, *, purpose: str, actor: Actor
) -> Institution:
    """An institution with its people in full: personal data, so the purpose goes on record (A7)."""
    institution = await institution_of(session, institution_id)
    note(session, actor, institution, "personal_data.viewed", purpose=purpose)
    return institution


def hidden(name: str, value: str | None) -> str | None:
    """A field as lists and the audit trail show it: people masked (A7)."""
    mask = PERSONAL.get(name)
    return mask(value) if mask is not None and value is not None else value


# --- campuses ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    postcode: str | None
    address: str | None
    capital_area: bool


async def campuses_of(session: AsyncSession, institution_id: UUID) -> list[Campus]:
    query = select(Campus).where(Campus.institution_id == institution_id).order_by(Campus.name)
    return list(await session.scalars(query))


async def add_campus(
    session: AsyncSession, institution_id: UUID, place: Place, *, actor: Actor
) -> Campus:
    campus = Campus(institution_id=institution_id, **asdict(place))
    await _save_campus(session, campus)
    _record_campus(session, actor, campus, "campus.added", None, asdict(place))
    return campus


async def change_campus(
    session: AsyncSession, institution_id: UUID, campus_id: UUID, place: Place, *, actor: Actor
) -> Campus:
    campus = await _campus(session, institution_id, campus_id)
    before = {name: getattr(campus, name) for name in asdict(place)}
    for name, value in asdict(place).items():
        setattr(campus, name, value)
    await _save_campus(session, campus)
    _record_campus(session, actor, campus, "campus.changed", before, asdict(place))
    return campus


async def remove_campus(
    session: AsyncSession, institution_id: UUID, campus_id: UUID, *, actor: Actor
) -> None:
    campus = await _campus(session, institution_id, campus_id)
    _record_campus(session, actor, campus, "campus.removed", {"name": campus.name}, None)
    await session.delete(campus)


async def _campus(session: AsyncSession, institution_id: UUID, campus_id: UUID) -> Campus:
    campus = await session.get(Campus, campus_id, with_for_update=True)
    if campus is None or campus.institution_id != institution_id:
        raise NotFound
    return campus


async def _save_campus(session: AsyncSession, campus: Campus) -> None:
    try:
        async with session.begin_nested():
            session.add(campus)
    except IntegrityError as error:
        raise Invalid(errors=[CAMPUS_TAKEN.at("/name", field="name")]) from error


def _record_campus(
    session: AsyncSession,
    actor: Actor,
    campus: Campus,
    action: str,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
) -> None:
    record(
        session,
        actor,
        action,
        object_type="campus",
        object_id=campus.id,
        institution_id=campus.institution_id,
        before=before,
        after=after,
    )


async def forget_closed(session: AsyncSession, before: datetime) -> int:
    """Destroy whom one could ask at institutions closed (폐업) before an instant (A7); returns how
    many. What the institution was and did stays: it is no person."""
    day = seoul_day(before)
    known: list[ColumnElement[bool]] = [
        getattr(Institution, name).is_not(None) for name in CONTACTS
    ]
    closed = func.coalesce(Institution.closed_on, func.date(Institution.updated_at))
    forgotten = await session.scalars(
        update(Institution)
        .where(Institution.status == Status.CLOSED, closed < day, or_(*known))
        .values(dict.fromkeys(CONTACTS) | {"version": Institution.version + 1})
        .returning(Institution.id)
    )
    ids = forgotten.all()
    for institution_id in ids:
        record(
            session,
            SYSTEM,
            "personal_data.destroyed",
            object_type="institution",
            object_id=institution_id,
            institution_id=institution_id,
        )
    return len(ids)
