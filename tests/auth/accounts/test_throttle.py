"""Guessing slows the guesser down and not the right user."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, insert, select, update

from services.auth.accounts import rules
from services.auth.accounts.models import LoginThrottle
from services.auth.accounts.throttle import Throttle
from services.auth.errors import LoginThrottled
from shared.clock import utc_now
from tests.auth.conftest import code_of, link_in


async def reserve(place, sessions, now):
    async with sessions.begin() as session:
        await place.reserve(session, now=now)


async def test_fifty_wrong_passwords_at_once_get_five_checked(auth, monkeypatch):
    await auth.account()
    checked = 0
    real = auth.runtime.passwords.verify

    async def counting(password, stored):
        nonlocal checked
        checked += 1
        return await real(password, stored)

    monkeypatch.setattr(auth.runtime.passwords, "verify", counting)
    answers = await asyncio.gather(*(auth.log_in(password=f"Wrong#{n}") for n in range(50)))
    assert checked == rules.PATIENCE.free
    codes = [code_of(answer) for answer in answers]
    assert codes.count((400, "LOGIN_FAILED")) == rules.PATIENCE.free
    assert codes.count((429, "LOGIN_THROTTLED")) == 50 - rules.PATIENCE.free
    throttled = next(answer for answer in answers if answer.status_code == 429)
    assert 0 < int(throttled.headers["retry-after"]) <= 65


async def test_two_who_come_at_once_do_not_wait_for_each_other(auth):
    """The one whose request began first may be counted second."""
    place = Throttle(auth.runtime.vault, "maru", "192.0.2.4", known_device=False)
    now = utc_now()
    await reserve(place, auth.runtime.sessions, now + timedelta(seconds=1))
    await reserve(place, auth.runtime.sessions, now)


async def test_an_unknown_id_is_slowed_like_a_known_one(auth):
    answers = [await auth.log_in("nobody", f"Wrong#{n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]


async def test_a_right_password_gives_the_attempts_back(auth):
    await auth.account()
    for _ in range(3):
        for n in range(4):
            assert (await auth.log_in(password=f"Wrong#{n}")).status_code == 400
        assert (await auth.log_in()).status_code == 200


async def test_someone_guessing_elsewhere_does_not_slow_the_right_user(auth):
    await auth.account()
    for n in range(6):
        await auth.log_in(password=f"Wrong#{n}", address="203.0.113.9")
    assert code_of(await auth.log_in(address="203.0.113.9")) == (429, "LOGIN_THROTTLED")
    assert (await auth.log_in(address="198.51.100.7")).status_code == 200


async def test_hosts_of_one_ipv6_network_count_as_one_place(auth):
    await auth.account()
    for n in range(5):
        await auth.log_in(password=f"Wrong#{n}", address=f"2001:db8:0:1::{n}")
    assert code_of(await auth.log_in(address="2001:db8:0:1::ffff")) == (429, "LOGIN_THROTTLED")
    assert (await auth.log_in(address="2001:db8:0:2::1")).status_code == 200


async def test_an_ipv4_address_in_ipv6_writing_is_a_place_of_its_own(auth):
    await auth.account()
    for n in range(5):
        await auth.log_in(password=f"Wrong#{n}", address="::ffff:203.0.113.9")
    assert code_of(await auth.log_in(address="203.0.113.9")) == (429, "LOGIN_THROTTLED")
    assert (await auth.log_in(address="::ffff:198.51.100.7")).status_code == 200


async def test_ten_thousand_wrong_passwords_never_lock_the_right_user_out(auth):
    """Real attempts up to where the limit for all places bites and beyond, each from an address
    of its own; then the counter is set to what 10,000 counted misses would leave."""
    await auth.account()
    known = await auth.log_in(address="198.51.100.7")  # the user's own device, from before
    assert known.status_code == 200
    sessions, vault = auth.runtime.sessions, auth.runtime.vault
    now = utc_now()
    refused = 0
    for n in range(150):
        place = Throttle(vault, "maru", f"10.0.{n}.1", known_device=False)
        try:
            await reserve(place, sessions, now)
        except LoginThrottled:
            refused += 1
    assert refused == 150 - rules.PATIENCE_EVERYWHERE.free
    async with sessions.begin() as session:
        most = select(func.max(LoginThrottle.failures)).scalar_subquery()
        await session.execute(
            update(LoginThrottle).where(LoginThrottle.failures == most).values(failures=10_000)
        )
    # A new address has to wait a minute now, whoever sits there …
    auth.client.cookies.clear()
    assert code_of(await auth.log_in(address="192.0.2.4")) == (429, "LOGIN_THROTTLED")
    stranger = Throttle(vault, "maru", "192.0.2.4", known_device=False)
    await reserve(stranger, sessions, now + timedelta(seconds=60))
    # … the device that logged in before does not wait at all.
    auth.client.cookies.update(known.cookies)
    assert (await auth.log_in(address="192.0.2.5")).status_code == 200


async def test_a_new_device_gets_through_within_a_minute_of_a_distributed_attack(auth):
    await auth.account()
    sessions, vault = auth.runtime.sessions, auth.runtime.vault
    now = utc_now()
    for n in range(rules.PATIENCE_EVERYWHERE.free):
        place = Throttle(vault, "maru", f"10.0.{n}.1", known_device=False)
        await reserve(place, sessions, now)
    mine = Throttle(vault, "maru", "192.0.2.4", known_device=False)
    with pytest.raises(LoginThrottled) as refusal:
        await reserve(mine, sessions, now)
    assert refusal.value.params == {"seconds": 60}
    await reserve(mine, sessions, now + timedelta(seconds=60))


async def test_who_comes_by_a_link_waits_for_no_stranger(auth):
    """Guessing from everywhere takes the one attempt a minute that is left to unknown devices; the
    right user has another way in, and one to ask for it."""
    await auth.account(email="maru@hanbit.example", phone="02-6050-0000")
    known = (await auth.log_in()).cookies
    auth.client.cookies.clear()
    sessions, vault = auth.runtime.sessions, auth.runtime.vault

    async def guess_everywhere(login_id):
        for n in range(rules.PATIENCE_EVERYWHERE.free):
            place = Throttle(vault, login_id, f"10.0.{n}.1", known_device=False)
            await reserve(place, sessions, utc_now())

    await guess_everywhere("reset:maru")
    asking = {"login_id": "maru", "channel": "email", "contact": "maru@hanbit.example"}
    stranger = await auth.client.post("/api/v1/auth/reset-requests", json=asking)
    assert stranger.status_code == 429
    auth.client.cookies.update(known)
    assert (await auth.client.post("/api/v1/auth/reset-requests", json=asking)).status_code == 202
    auth.client.cookies.clear()
    await auth.run_jobs()
    new = "Bomnal!2027"
    body = {"token": link_in(auth.mail()[0]), "new_password": new, "confirm_password": new}
    assert (await auth.client.post("/api/v1/auth/activation", json=body)).status_code == 200
    await guess_everywhere("maru")
    assert (await auth.log_in(password=new)).status_code == 200
    auth.client.cookies.clear()
    assert code_of(await auth.log_in(password=new)) == (429, "LOGIN_THROTTLED")


async def test_a_made_up_device_cookie_is_an_unknown_device(auth):
    await auth.account()
    await auth.account("bom", institution=await auth.institution(name="봄대학교"))
    foreign = (await auth.log_in("bom")).cookies  # genuine, but another account's
    auth.client.cookies.clear()
    for n in range(5):
        await auth.log_in(password=f"Wrong#{n}")
    for device in (foreign["device"], "a" * 22 + "." + "b" * 43, "", "."):
        auth.client.cookies.set("device", device)
        assert code_of(await auth.log_in()) == (429, "LOGIN_THROTTLED")
        auth.client.cookies.clear()


async def waits_after(auth, place, now, failures):
    """How long one waits at each of his places after so many misses, in minutes."""
    async with auth.runtime.sessions.begin() as session:
        before = {"failures": failures - 1, "next_try_at": now, "updated_at": now}
        rows = [{"key": key, **before} for key in place.keys.values()]
        await session.execute(insert(LoginThrottle), rows)
        await place.reserve(session, now=now)
        counters = (await session.scalars(select(LoginThrottle))).all()
        assert {one.failures for one in counters} == {failures}
        waits = {one.key: (one.next_try_at - now) / timedelta(minutes=1) for one in counters}
        await session.execute(delete(LoginThrottle))
    return [waits[place.keys[name]] for name in ("here", "everywhere")]


async def test_the_wait_doubles_up_to_a_quarter_of_an_hour(auth):
    place = Throttle(auth.runtime.vault, "maru", "192.0.2.4", known_device=False)
    now = utc_now()
    for failures, here, everywhere in (
        *((4, 0, 0), (5, 1, 0), (6, 2, 0), (7, 4, 0), (8, 8, 0), (9, 15, 0), (10, 15, 0)),
        *((99, 15, 0), (100, 15, 1), (101, 15, 1), (10_000, 15, 1)),
    ):
        assert await waits_after(auth, place, now, failures) == [here, everywhere], failures


async def test_who_has_to_wait_is_counted_nowhere(auth):
    place = Throttle(auth.runtime.vault, "maru", "192.0.2.4", known_device=False)
    now = utc_now()
    for _ in range(rules.PATIENCE.free):
        await reserve(place, auth.runtime.sessions, now)
    with pytest.raises(LoginThrottled):
        await reserve(place, auth.runtime.sessions, now)
    async with auth.runtime.sessions() as session:
        counted = (await session.scalars(select(LoginThrottle.failures))).all()
    assert counted == [rules.PATIENCE.free] * 2


async def test_misses_are_forgotten_after_a_day(auth):
    sessions, vault = auth.runtime.sessions, auth.runtime.vault
    place = Throttle(vault, "maru", "192.0.2.4", known_device=False)
    now = utc_now()
    for _ in range(4):
        await reserve(place, sessions, now)
    tomorrow = now + timedelta(days=1, seconds=1)
    for _ in range(5):
        await reserve(place, sessions, tomorrow)
    with pytest.raises(LoginThrottled):
        await reserve(place, sessions, tomorrow)
