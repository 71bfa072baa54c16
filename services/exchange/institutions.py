"""Names of institutions, remembered: the auth service is asked once a day, never in a hot path."""

from datetime import datetime, timedelta
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
MAX_REMEMBERED = 10_000


class Institutions:
    """What this process knows, over what the database knows, over what the auth service knows."""

    def __init__(self, sessions: Sessions, directory: Directory) -> None:
        self._sessions = sessions
        self._directory = directory
        self._known: dict[UUID, Institution] = {}

    async def get(self, institution_id: UUID) -> Institution:
        """An institution by id. May ask another service, so never call it inside a transaction.

        Raises `UpstreamUnavailable` only for one we never met, `NotFound` for one nobody knows.
        """
        now = utc_now()
        known = self._known.get(institution_id)
        if known is None or not _fresh(known, now):
            known = await self._look_up(institution_id, now)
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            self._known[institution_id] = known
        return known

    async def _look_up(self, institution_id: UUID, now: datetime) -> Institution:
        async with self._sessions() as session:
            row = await session.get(Institution, institution_id)
        if row is not None and _fresh(row, now):
            return row
        try:
            found = await self._directory.lookup([institution_id])
        except (UpstreamUnavailable, RemoteProblem) as error:
            if row is None:
                raise UpstreamUnavailable(service="auth") from error
            log.warning("institution_not_refreshed", institution_id=str(institution_id))
            return row
        if not found:
            raise NotFound
        return await self._remember(found[0], now)

    async def _remember(self, record: InstitutionRecord, now: datetime) -> Institution:
        values = {"kind": record.kind, "name": record.name, "brn": record.brn, "seen_at": now}
        statement = (
            insert(Institution)
            .values(id=record.id, **values)
            .on_conflict_do_update(index_elements=[Institution.id], set_=values)
            .returning(Institution)
        )
        async with self._sessions.begin() as session:
            row: Institution = (await session.scalars(statement)).one()
        return row


def _fresh(row: Institution, now: datetime) -> bool:
    return now - row.seen_at < FRESH
