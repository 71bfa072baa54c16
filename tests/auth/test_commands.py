"""Commands given on the machine: the first operator, and new signing keys."""

import click
import pytest

from services.auth.commands import _rotate, open_operator
from tests.auth.conftest import code_of


async def test_the_first_operator_comes_in_by_a_printed_link(auth):
    link = await open_operator(auth.runtime, "Chief", "운영담당", "운영센터")
    body = {
        "token": link.partition("#token=")[2],
        "new_password": "Bomnal!2027",
        "confirm_password": "Bomnal!2027",
        "contact_phone": "02-6050-0000",
    }
    assert (await auth.client.post("/api/v1/auth/activation", json=body)).status_code == 200
    login = await auth.log_in("chief", "Bomnal!2027")
    assert "accounts:admin" in login.json()["scope"].split()


@pytest.mark.parametrize("login_id", ["1x", "가나다", "a b", "chief"])
async def test_a_bad_or_taken_id_is_refused(auth, login_id):
    await open_operator(auth.runtime, "chief", "운영담당", "운영센터")
    with pytest.raises(click.ClickException):
        await open_operator(auth.runtime, login_id, "운영담당", "운영센터")


async def test_after_a_leak_no_token_of_the_old_key_is_believed(auth):
    await auth.account()
    headers = await auth.bearer()
    kid = await _rotate(auth.runtime, 24, revoke_others=True)
    auth.runtime.keys.forget()
    auth.runtime.verifier._verified.clear()  # each process forgets within a token's lifetime
    published = (await auth.client.get("/.well-known/jwks.json")).json()["keys"]
    assert [key["kid"] for key in published] == [kid]
    refused = await auth.client.get("/api/v1/auth/me", headers=headers)
    assert code_of(refused) == (401, "TOKEN_INVALID")
    again = await auth.client.get("/api/v1/auth/me", headers=await auth.bearer())
    assert again.status_code == 200
