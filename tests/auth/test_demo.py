"""The demo: every documented login works, and seeding again changes nothing."""

import pytest
from sqlalchemy import func, select

from services.auth.accounts.models import Account
from services.auth.accounts.rules import password_findings
from services.auth.demo import ACCOUNTS, DEMO_PASSWORD, INSTITUTIONS, LOGINS, seed_demo
from services.auth.institutions.rules import brn_finding
from tests.auth.conftest import claims_of


async def test_every_demo_login_works_with_its_role(auth):
    await seed_demo(auth.runtime)
    for login_id, password, role, _ in LOGINS:
        answer = await auth.log_in(login_id, password)
        assert answer.status_code == 200, login_id
        assert claims_of(answer)["role"] == role
        assert answer.json()["pwd_change"] is (login_id == "nuri")


async def test_seeding_again_keeps_what_was_changed(auth):
    await seed_demo(auth.runtime)
    async with auth.runtime.sessions.begin() as session:
        account = (await session.scalars(select(Account).where(Account.login_id == "hanbit"))).one()
        account.name = "새 이름"
    await seed_demo(auth.runtime)
    async with auth.runtime.sessions() as session:
        names = (await session.scalars(select(Account.name))).all()
        assert await session.scalar(select(func.count()).select_from(Account)) == len(ACCOUNTS)
    assert "새 이름" in names


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.login_id)
def test_the_demo_password_keeps_our_own_policy(account):
    assert password_findings(DEMO_PASSWORD, DEMO_PASSWORD, account.login_id) == []


def test_demo_business_numbers_are_valid_and_belong_to_no_tax_office():
    numbers = [item.brn for item in INSTITUTIONS if item.brn]
    assert len(numbers) == 2
    assert all(brn_finding(brn) is None and brn.startswith("999") for brn in numbers)
