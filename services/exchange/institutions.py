"""Names of institutions, remembered: the auth service is asked once a day, never in a hot path."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert

from services.exchange.clients import Directory, InstitutionRecord
from services.exchange.listings.models import Institution
from shared.clock import utc_now
from shared.db import Sessions
from shared.http import RemoteProblem
from shared.problems import NotFound, UpstreamUnavailable

log = structlog.get_logger()

FRESH = timedelta(days=1)


async def known(sessions: Sessions, directory: Directory, institution_id: UUID) -> Institution:
    """What we know of an institution. A remote call, so never made inside a transaction.

    Raises `UpstreamUnavailable` only for one we never met, `NotFound` for one nobody knows.
    """
    async with sessions() as session:
        row = await session.get(Institution, institution_id)
    if row is not None and utc_now() - row.seen_at < FRESH:
        return row
    try:
        found = await directory.lookup([institution_id])
    except (UpstreamUnavailable, RemoteProblem) as error:
        if row is None:
            raise UpstreamUnavailable(service="auth") from error
        log.warning("institution_not_refreshed", institution_id=str(institution_id))
        return row
    if not found:
        raise NotFound
    return await _remember(sessions, found[0])


async def _remember(sessions: Sessions, record: InstitutionRecord) -> Institution:
    values = {"kind": record.kind, "name": record.name, "brn": record.brn, "seen_at": utc_now()}
    statement = (
        insert(Institution)
        .values(id=record.id, **values)
        .on_conflict_do_update(index_elements=[Institution.id], set_=values)
        .returning(Institution)
    )
    async with sessions.begin() as session:
        row: Institution = (await session.scalars(statement)).one()
    return row
