"""Keys are fetched when needed, and strangers cannot make us fetch them."""

import base64
import json
import time

import jwt
import pytest

from shared.problems import TokenExpired, TokenInvalid, TokenRevoked, UpstreamUnavailable
from shared.tokens import AUDIENCE, LEEWAY_SECONDS, JwksKeys, Revocations, TokenVerifier
from tests.conftest import Tokens

ISSUER = "http://tests.invalid"


def verifier(keys, **more) -> TokenVerifier:
    return TokenVerifier(keys, issuer=ISSUER, audiences=frozenset({AUDIENCE}), **more)


async def test_a_flood_of_unknown_key_ids_fetches_the_keys_once(tokens):
    fetches = 0

    async def fetch():
        nonlocal fetches
        fetches += 1
        return {"keys": [tokens.jwk]}

    checking = verifier(JwksKeys(fetch))
    for n in range(50):
        stranger = jwt.encode(
            {"sub": "x"}, tokens.private, "ES256", headers={"kid": f"k{n}", "typ": "at+jwt"}
        )
        with pytest.raises(TokenInvalid):
            await checking.verify(stranger)
    await checking.verify(tokens.make())
    assert fetches == 1


async def test_keys_are_asked_for_again_until_the_auth_service_is_up(tokens):
    answers = iter([ConnectionError("starting"), {"keys": [tokens.jwk]}])

    async def fetch():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    checking = verifier(JwksKeys(fetch))
    token = tokens.make()
    with pytest.raises(UpstreamUnavailable):  # not the token's fault: it is not to be thrown away
        await checking.verify(token)
    assert (await checking.verify(token)).client_id == "portal"


async def test_a_token_past_its_end_is_refused_also_when_it_was_verified_before(
    tokens, monkeypatch
):
    checking = verifier(tokens)
    token = tokens.make(lifetime=60)
    await checking.verify(token)
    clock = time.time
    monkeypatch.setattr("shared.tokens.time.time", lambda: clock() + 60 + LEEWAY_SECONDS + 1)
    with pytest.raises(TokenExpired):
        await checking.verify(token)
    with pytest.raises(TokenExpired):
        await checking.verify(tokens.make(lifetime=-60))  # never seen before


async def test_a_key_that_was_retired_signs_nothing_any_more_and_the_new_one_needs_no_restart(
    tokens, monkeypatch
):
    published = [tokens.jwk]

    async def fetch():
        return {"keys": published}

    checking = verifier(JwksKeys(fetch))
    await checking.verify(tokens.make())
    successor = Tokens()
    published[:] = [{**successor.jwk, "kid": "next"}]
    clock = time.monotonic
    later = JwksKeys.REFRESH_SECONDS + 1
    monkeypatch.setattr("shared.tokens.time.monotonic", lambda: clock() + later)
    with pytest.raises(TokenInvalid):
        await checking.verify(tokens.make())
    payload = jwt.decode(tokens.make(), options={"verify_signature": False})
    fresh = jwt.encode(
        payload, successor.private, "ES256", headers={"kid": "next", "typ": "at+jwt"}
    )
    assert (await checking.verify(fresh)).client_id == "portal"


def unsigned(payload: dict) -> str:
    def part(value: dict) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': 'test'})}.{part(payload)}."


async def test_forged_tokens_are_refused(tokens):
    checking = verifier(tokens)
    good = tokens.make()
    payload = jwt.decode(good, options={"verify_signature": False})
    head, body, signature = good.split(".")
    forged = [
        unsigned(payload),
        jwt.encode(payload, "k" * 32, "HS256", headers={"kid": "test", "typ": "at+jwt"}),
        jwt.encode(payload, tokens.private, "ES256", headers={"kid": "test", "typ": "JWT"}),
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body[:-2]}xx.{signature}",
        "",
        "a.b.c",
        "é" * 100,
    ]
    for token in forged:
        with pytest.raises(TokenInvalid):
            await checking.verify(token)


@pytest.mark.parametrize(
    ("entry", "refused"),
    [
        ({"sub:a": 2}, True),
        ({"sub:a": 1}, False),
        ({"sid:s": 1}, True),
        ({"client:portal": 2}, True),
        ({"sub:b": 9}, False),
        ({"kid:test": 1}, True),  # the key leaked: also for a token that was verified before
        ({"kid:other": 1}, False),
    ],
)
async def test_a_revocation_refuses_exactly_its_subject(tokens, entry, refused):
    revocations = Revocations()
    checking = verifier(tokens, revocations=revocations)
    token = tokens.make(sub="a", sid="s", pv=1)
    await checking.verify(token)
    revocations.apply(entry)
    if refused:
        with pytest.raises(TokenRevoked):
            await checking.verify(token)
    else:
        await checking.verify(token)
