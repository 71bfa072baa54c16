"""Job handlers and schedules of the auth service."""

from datetime import timedelta
from uuid import UUID

from services.auth.accounts import credentials, measures, passkeys, throttle
from services.auth.institutions import profiles
from services.auth.letters import service as letters
from services.auth.messages import service as messages
from services.auth.messages.service import DELIVER
from services.auth.notices import mailing
from services.auth.runtime import AuthRuntime
from services.auth.sessions import service as sessions_service
from services.auth.tokens.rules import KEPT_AFTER_USE
from shared.clock import utc_now
from shared.idempotency import add_purge_job
from shared.jobs import Jobs
from shared.runtime import Runtime

jobs = Jobs()
add_purge_job(jobs)

SESSIONS_KEPT = timedelta(days=90)  # long enough to answer "was that me?"
MESSAGES_KEPT = timedelta(days=7)
LETTERS_KEPT = timedelta(days=90)  # longer than any service tries to hand one in
CREDENTIALS_KEPT = timedelta(days=1)


@jobs.task(DELIVER)
async def deliver_message(runtime: Runtime, message_id: str) -> None:
    auth = _auth(runtime)
    await messages.deliver(auth.sessions, auth.vault, auth.postman, UUID(message_id))


@jobs.task(credentials.RESET_TASK)
async def handle_reset(runtime: Runtime, request_id: str) -> None:
    auth = _auth(runtime)
    await credentials.handle_reset(auth.sessions, auth.desk, UUID(request_id), now=utc_now())


@jobs.task(mailing.MAIL_TASK)
async def mail_notice(runtime: Runtime, notice_id: str) -> None:
    auth = _auth(runtime)
    await mailing.mail(auth.sessions, auth.desk, UUID(notice_id))


@jobs.task("auth.purge", every="27 3 * * *")
async def purge(runtime: Runtime) -> None:
    """Forget what has served its time. Audit rows stay: they are append-only."""
    now = utc_now()
    async with runtime.sessions.begin() as session:
        await sessions_service.purge(
            session, sessions_before=now - SESSIONS_KEPT, feed_before=now - KEPT_AFTER_USE
        )
        await throttle.purge(session, now - timedelta(days=2))
        await messages.purge(session, now - MESSAGES_KEPT)
        await letters.purge(session, now - LETTERS_KEPT)
        await credentials.purge(session, now - CREDENTIALS_KEPT)
        await passkeys.forget_challenges(session, now)
        settings = _auth(runtime).settings
        removed = timedelta(days=settings.removed_accounts_kept_days)
        await measures.forget_removed(session, now - removed)
        closed = timedelta(days=settings.closed_institutions_kept_days)
        await profiles.forget_closed(session, now - closed)


def _auth(runtime: Runtime) -> AuthRuntime:
    assert isinstance(runtime, AuthRuntime)
    return runtime
