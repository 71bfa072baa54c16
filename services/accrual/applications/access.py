"""Who may see and touch which application. The one place that knows.

Another institution's application does not exist (404); an own one in a field the caller has no
permission for is refused (403, M-006). The operator and the ministry see whatever was submitted.
Sandbox data is visible to sandbox tokens, and to nobody else.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.accrual.applications.models import Application
from services.accrual.criteria.service import versions
from services.accrual.errors import FieldNotPermitted
from shared.caller import institution_of
from shared.problems import NotFound
from shared.tokens import Claims

_SEE_ALL = frozenset({"operator", "ministry"})


def sees_all(claims: Claims) -> bool:
    return claims.institution_kind in _SEE_ALL


def is_operator(claims: Claims) -> bool:
    return claims.institution_kind == "operator"


def is_observer(claims: Claims) -> bool:
    return claims.institution_kind == "ministry"


def visible_to(claims: Claims) -> ColumnElement[bool]:
    """The condition on the applications a caller may see, permitted fields included."""
    mode = Application.test_mode == claims.test_mode
    return and_(mode, _in_reach(claims), _in_permitted_fields(claims))


def check_field(claims: Claims, field: str) -> None:
    """Raises `FieldNotPermitted` for a field outside a sub-account's permissions (M-006)."""
    if claims.fields is not None and field not in claims.fields:
        names = {rule.code: rule.ko for rule in versions()[-1].fields.values()}
        raise FieldNotPermitted(name=names.get(field, field))


async def find(
    session: AsyncSession, claims: Claims, application_id: UUID, *, lock: bool = False
) -> Application:
    """The application, locked for a change if asked. Raises `NotFound` or `FieldNotPermitted`."""
    query = select(Application).where(
        Application.id == application_id,
        Application.test_mode == claims.test_mode,
        _in_reach(claims),
    )
    if lock:
        query = query.with_for_update()
    application = await session.scalar(query)
    if application is None:
        raise NotFound
    check_field(claims, application.field)
    return application


def _in_reach(claims: Claims) -> ColumnElement[bool]:
    if not sees_all(claims):
        return Application.institution_id == institution_of(claims)
    submitted = Application.state != "draft"
    if is_operator(claims):  # drafts it entered itself for an institution that could not
        return or_(submitted, Application.on_behalf)
    return submitted


def _in_permitted_fields(claims: Claims) -> ColumnElement[bool]:
    if claims.fields is None:
        return Application.id.is_not(None)
    return Application.field.in_(sorted(claims.fields))
