"""What the nightly job forgets, and what it never touches."""

from datetime import timedelta

from sqlalchemy import text

from services.auth.accounts.models import Account
from services.auth.institutions.models import Institution
from services.auth.jobs import purge
from shared.clock import seoul_day, utc_now

PERSON = {"name": "박하늘", "email": "sky@hanbit.example", "mobile": "010-6050-0001"}


async def aged(auth, table, column, days):
    async with auth.runtime.sessions.begin() as session:
        await session.execute(
            text(f"UPDATE {table} SET {column} = {column} - interval '{days} days'")
        )


async def removed_account(auth):
    account = await auth.account(status="removed")
    async with auth.runtime.sessions.begin() as session:
        row = await session.get(Account, account.id)
        for name, value in PERSON.items():
            setattr(row, name, value)
    return account.id


async def test_people_of_removed_accounts_are_forgotten_after_their_time(auth):
    account_id = await removed_account(auth)
    await purge(auth.runtime)
    assert (await auth.reload(Account, account_id)).name == "박하늘"
    await aged(auth, "account", "updated_at", 91)
    await purge(auth.runtime)
    row = await auth.reload(Account, account_id)
    assert (row.name, row.email, row.mobile, row.login_id) == ("(파기)", None, None, "maru")
    async with auth.runtime.sessions() as session:
        query = text("SELECT count(*) FROM audit_event WHERE action = 'personal_data.destroyed'")
        assert await session.scalar(query) == 1
    await purge(auth.runtime)  # once is enough
    async with auth.runtime.sessions() as session:
        assert await session.scalar(query) == 1


async def test_accounts_in_use_are_never_forgotten(auth):
    account = await auth.account(email="sky@hanbit.example")
    await aged(auth, "account", "updated_at", 5_000)
    await purge(auth.runtime)
    assert (await auth.reload(Account, account.id)).email == "sky@hanbit.example"


async def test_contacts_of_closed_institutions_are_destroyed_after_their_time(auth):
    contact = {"manager_name": "박하늘", "manager_email": "sky@hanbit.example", "phone": "02-1-2"}
    day = seoul_day(utc_now())
    closed, lately, suspended = [
        await auth.institution("company", "한빛", brn=brn, status=status, closed_on=on, **contact)
        for brn, status, on in (
            ("1048203590", "closed", day - timedelta(days=366)),
            ("1048203591", "closed", day - timedelta(days=364)),
            ("1048203592", "suspended", day - timedelta(days=5_000)),
        )
    ]
    for _ in range(2):
        await purge(auth.runtime)
    row = await auth.reload(Institution, closed.id)
    assert (row.manager_name, row.manager_email) == (None, None)
    assert (row.name, row.brn, row.phone, row.version) == ("한빛", "1048203590", "02-1-2", 2)
    for kept in (lately, suspended):
        assert (await auth.reload(Institution, kept.id)).manager_name == "박하늘"
    async with auth.runtime.sessions() as session:
        query = text("SELECT object_id FROM audit_event WHERE action = 'personal_data.destroyed'")
        assert (await session.scalars(query)).all() == [str(closed.id)]


async def test_old_sessions_and_revocations_go_and_young_ones_stay(auth):
    await auth.account()
    login = (await auth.log_in()).json()
    await auth.client.post("/api/v1/auth/token/revoke", data={"token": login["refresh_token"]})
    await purge(auth.runtime)
    async with auth.runtime.sessions() as session:
        for table in ("login_session", "revocation"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 1
    await aged(auth, "login_session", "expires_at", 100)
    await aged(auth, "revocation", "created_at", 1)
    await purge(auth.runtime)
    async with auth.runtime.sessions() as session:
        for table in ("login_session", "revocation"):
            assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == 0
