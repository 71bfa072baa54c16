"""Clocks that differ by a minute: nobody is locked out, and nothing lives much longer."""

import time

import pytest

from shared.problems import TokenExpired
from shared.tokens import AUDIENCE, TokenVerifier
from tests.conftest import ISSUER


@pytest.fixture
def checking(tokens) -> TokenVerifier:
    return TokenVerifier(tokens, issuer=ISSUER, audiences=frozenset({AUDIENCE}))


async def test_a_token_from_a_clock_a_minute_ahead_is_good(tokens, checking):
    now = int(time.time())
    token = tokens.make(iat=now + 60, exp=now + 660)
    assert (await checking.verify(token)).client_id == "portal"


async def test_a_clock_a_minute_behind_shortens_a_token_and_no_more(tokens, checking):
    now = int(time.time())
    assert await checking.verify(tokens.make(iat=now - 60, exp=now + 540))
    with pytest.raises(TokenExpired):
        await checking.verify(tokens.make(iat=now - 660, exp=now - 60))
