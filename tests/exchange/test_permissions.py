"""Every route, walked from the OpenAPI document: no token, a foreign one, one that may not."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.exchange.conftest import World, listing_body

PUBLIC = {
    ("get", "/api/v1/exchange/listings"),
    ("get", "/api/v1/exchange/listings/{listing_id}"),
    ("get", "/api/v1/exchange/listings/{listing_id}/availability"),
    ("get", "/api/v1/exchange/listings/{listing_id}/photos/{photo_id}"),
}

# Bodies good enough to get past the shape of a request, so that what answers is the permission.
REASON = {"reason": "확인"}
BODIES: dict[str, Any] = {
    "/listings": listing_body(),
    "/listings/{listing_id}": listing_body(),
    "/listings/{listing_id}/suspend": REASON,
    "/listings/{listing_id}/access": {},
    "/listings/{listing_id}/access/{access_id}": {"decision": "grant"},
    "/orders": {"listing_id": str(uuid4())},
    "/orders/preview": {"listing_id": str(uuid4())},
    "/orders/{order_id}/decline": REASON,
    "/orders/{order_id}/cancel": REASON,
    "/orders/{order_id}/call-off": REASON,
    "/orders/{order_id}/no-show": {},
    "/orders/{order_id}/adjustment": {"quantity": 9, "reason": "연장"},
    "/orders/{order_id}/adjustment/answer": {"consent": True},
    "/orders/{order_id}/complete": {"actual_quantity": 1},
    "/orders/{order_id}/payments": {
        "amount_won": 1,
        "method": "card",
        "paid_on": "2026-01-01",
        "reference": "1",
    },
    "/orders/{order_id}/dispute": REASON,
    "/orders/{order_id}/dispute/resolve": {"charged_won": 0, "reason": "조정"},
    "/orders/{order_id}/refund": {"mileage": 1, "reason": "환불"},
    "/orders/{order_id}/messages": {"body": "안녕하세요."},
    "/internal/evidence-claims": {"marks": ["0" * 64]},
    "/notifications/read": {},
    "/webhooks": {"url": "https://partner.example.com/hook"},
    "/webhooks/{endpoint_id}": {"url": "https://partner.example.com/hook"},
}
UPLOADS = ("/photos", "/files")


def routes(world: World) -> Iterator[tuple[str, str]]:
    for path, verbs in world.app.openapi()["paths"].items():
        for verb in verbs:
            yield verb, path


async def call(
    world: World, verb: str, path: str, headers: dict[str, str], ids: dict[str, str] | None = None
):
    url = re.sub(r"\{(\w+)\}", lambda name: (ids or {}).get(name[1], str(uuid4())), path)
    extra: dict[str, Any] = {}
    if verb == "post" and path.endswith(UPLOADS):
        extra["files"] = {"file": ("a.png", b"\x89PNG\r\n\x1a\n....", "image/png")}
    elif verb in {"post", "put"}:
        extra["json"] = BODIES.get(path.removeprefix("/api/v1/exchange"))
    headers = headers | {"Idempotency-Key": uuid4().hex, "If-Match": '"1"'}
    params = {"start": "2027-03-08T00:00:00Z", "end": "2027-03-09T00:00:00Z"}
    return await world.client.request(
        verb.upper(), url, headers=headers, params=params if "availab" in path else None, **extra
    )


async def test_every_route_needs_a_token_but_the_shop_window(world: World):
    open_routes = set()
    for verb, path in routes(world):
        answer = await call(world, verb, path, {})
        if answer.status_code != 401:
            open_routes.add((verb, path))
    assert open_routes == PUBLIC


async def test_every_route_refuses_a_token_without_its_permission(world: World):
    weak = world.tokens.headers(
        "grants:read", role="company", institution_id=world.buyer.id, institution_kind="company"
    )
    for verb, path in routes(world):
        if (verb, path) not in PUBLIC:
            answer = await call(world, verb, path, weak)
            assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED"), path


async def test_reading_alone_changes_nothing(world: World):
    """A sub-account of the university sees its orders and may do nothing with them."""
    order = await world.order()
    reading = world.tokens.headers(
        "exchange:read",
        role="sub_account",
        institution_id=world.seller.id,
        institution_kind="university",
    )
    ids = {"order_id": order["id"], "listing_id": order["listing_id"]}
    for verb, path in routes(world):
        if verb != "get":
            assert (await call(world, verb, path, reading, ids)).status_code == 403, path
    shown = await call(world, "get", "/api/v1/exchange/orders/{order_id}", reading, ids)
    assert shown.status_code == 200


async def test_no_route_shows_or_changes_another_institutions_things(world: World):
    listing = await world.listing(training_required=False)
    order = await world.order(listing)
    ids = {"order_id": order["id"], "listing_id": listing["id"]}
    strangers = [
        world.actor("company", "다른 기업").headers,
        world.actor("university", "다른 대학교").headers,
    ]
    for stranger in strangers:
        for verb, path in routes(world):
            if (verb, path) in PUBLIC or "_id}" not in path:
                continue
            if (verb, path) == ("post", "/api/v1/exchange/listings/{listing_id}/access"):
                continue  # asking a seller for access is open to every buyer
            answer = await call(world, verb, path, stranger, ids)
            assert answer.status_code in {403, 404}, (verb, path, answer.text)
    after = (await world.buyer.get(f"/orders/{order['id']}")).json()
    assert after["version"] == order["version"]


@pytest.mark.parametrize("kind", ["company", "university"])
async def test_lists_show_only_ones_own(world: World, kind):
    await world.order()
    stranger = world.actor(kind, "다른 기관")
    assert (await stranger.get("/orders")).json()["total"] == 0
    assert (await world.buyer.get("/orders")).json()["total"] == 1
    assert (await world.seller.get("/orders")).json()["total"] == 1
    assert (await world.operator.get("/orders")).json()["total"] == 1
    if kind == "university":
        assert (await stranger.get("/managed-listings")).json()["total"] == 0
    assert (await world.seller.get("/managed-listings")).json()["total"] == 1
    assert (await world.operator.get("/managed-listings")).json()["total"] == 1


@pytest.mark.parametrize("kind", ["university", "iacf", "agency", "ministry"])
async def test_only_companies_buy(world: World, kind):
    listing = await world.listing()
    who = world.actor(kind, "구매할 수 없는 기관", scopes=("exchange:read", "exchange:buy"))
    for path in ("/orders", "/orders/preview"):
        answer = await who.post(path, world.wish(listing))
        assert (answer.status_code, answer.json()["code"]) == (403, "PERMISSION_DENIED")


async def test_only_universities_sell(world: World):
    company = world.actor("company", "판매할 수 없는 기업", scopes=("exchange:sell",))
    assert (await company.post("/listings", listing_body())).status_code == 403


async def test_an_institution_on_both_sides_is_refused_as_self_trade(world: World):
    listing = await world.listing()
    both = world.actor("company", "한빛대학교 기술지주", institution=world.seller.id)
    answer = await both.post("/orders", world.wish(listing))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "SELF_TRADE"


async def test_every_refusal_is_a_problem_in_both_languages(world: World):
    answer = await world.client.get("/api/v1/exchange/orders", headers={"Accept-Language": "en"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Authentication is required."
