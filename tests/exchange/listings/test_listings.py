"""Offering, changing, finding: the listings over HTTP."""

import asyncio
from datetime import timedelta

import pytest

from tests.exchange.conftest import API, World, listing_body, monday

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


async def public(world: World, path: str, **params):
    return await world.client.get(API + path, params=params)


async def test_a_draft_is_nobodys_business_until_it_is_published(world: World):
    made = (await world.seller.post("/listings", listing_body())).json()
    assert made["status"] == "draft"
    assert (await public(world, f"/listings/{made['id']}")).status_code == 404
    assert (await public(world, "/listings")).json()["total"] == 0
    assert (await world.buyer.post("/orders", world.wish(made))).status_code == 404
    await world.seller.post(f"/listings/{made['id']}/publish")
    shown = (await public(world, f"/listings/{made['id']}")).json()
    assert (shown["seller_name"], shown["mileage_max_per_unit"]) == ("한빛대학교", 30)


async def test_any_part_of_a_word_finds_a_listing_and_no_other(world: World):
    wanted = await world.listing()
    other = await world.listing(
        title="초고속 원심분리기",
        description="시료 분리",
        maker="Beckman",
        model="CP100",
        zeus_number="Z-201905020001",
        nfec_number="NFEC-2019-05-000001",
    )

    async def found(query: str) -> set[str]:
        items = (await public(world, "/listings", q=query)).json()["items"]
        return {item["id"] for item in items}

    words = ["현미경", "주사전자", "미경", "경", "sem", "FE-SEM 현미경", "JSM"]
    for query in [*words, "NFEC-2020-11-267213", "Z-202011187213"]:
        assert await found(query) == {wanted["id"]}, query
    assert await found("한빛") == {wanted["id"], other["id"]}  # the university's name


async def test_a_wildcard_is_only_a_character(world: World):
    await world.listing()
    for query in ("%", "_", "현%경", "\\"):
        assert (await public(world, "/listings", q=query)).json()["total"] == 0


async def test_filters_and_pages_walk_every_listing_once(world: World):
    prices = [50_000, 10_000, 30_000, 20_000, 40_000]
    for price in prices:
        await world.listing(price_won=price)
    await world.listing(kind="analysis", use_mode="commissioned", unit="sample", price_won=5_000)
    seen: list[int] = []
    cursor = None
    while True:
        params = {"sort": "price_won", "limit": 2, "kind": "equipment", "max_price_won": 40_000}
        page = (
            await public(world, "/listings", **params, **({"cursor": cursor} if cursor else {}))
        ).json()
        assert page["total"] == 4
        seen += [item["price_won"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [10_000, 20_000, 30_000, 40_000]


async def test_a_new_price_is_a_new_rate_card_and_orders_keep_theirs(world: World):
    listing = await world.listing()
    order = await world.order(listing)
    changed = await world.seller.put(
        f"/listings/{listing['id']}", listing_body(price_won=150_000), seen=listing["version"]
    )
    assert changed.json()["rate_card_version"] == 2
    kept = (await world.buyer.get(f"/orders/{order['id']}")).json()
    assert (kept["unit_price_won"], kept["rate_card_version"], kept["fee_won"]) == (
        100_000,
        1,
        200_000,
    )
    cards = (await world.seller.get(f"/managed-listings/{listing['id']}/rate-cards")).json()
    assert [card["price_won"] for card in cards["items"]] == [150_000, 100_000]
    start = monday(3)
    wish = world.wish(
        listing,
        starts_at=start.isoformat(),
        ends_at=(start + timedelta(hours=2)).isoformat(),
        expected_fee_won=200_000,
    )
    answer = await world.buyer.post("/orders", wish)
    assert (answer.status_code, answer.json()["code"]) == (409, "PRICE_CHANGED")
    assert answer.json()["params"] == {"expected_won": 200_000, "fee_won": 300_000}


async def test_two_editors_cannot_overwrite_each_other(world: World):
    listing = await world.listing()
    bodies = [listing_body(title=f"현미경 {n}") for n in range(5)]
    answers = await asyncio.gather(
        *(
            world.seller.put(f"/listings/{listing['id']}", body, seen=listing["version"])
            for body in bodies
        )
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [200, 412, 412, 412, 412]
    no_tag = await world.client.put(
        f"{API}/listings/{listing['id']}", headers=world.seller.headers, json=listing_body()
    )
    assert no_tag.status_code == 428


async def test_a_booked_time_cannot_be_closed(world: World):
    listing = await world.listing()
    order = await world.order(listing)
    closed = listing_body(
        calendar={
            "weekly": listing_body()["calendar"]["weekly"],
            "exceptions": [{"day": monday().date().isoformat(), "hours": []}],
        }
    )
    answer = await world.seller.put(f"/listings/{listing['id']}", closed, seen=listing["version"])
    assert (answer.status_code, answer.json()["code"]) == (409, "SLOTS_BOOKED")
    assert answer.json()["params"]["orders"] == [order["id"]]


async def test_the_operator_stops_trade_and_lets_it_start_again(world: World):
    listing = await world.listing()
    stopped = await world.operator.post(
        f"/listings/{listing['id']}/suspend", {"reason": "안전 점검 미이행"}
    )
    assert stopped.json()["status"] == "suspended"
    assert (await public(world, f"/listings/{listing['id']}")).status_code == 404
    answer = await world.buyer.post("/orders", world.wish(listing))
    assert (answer.status_code, answer.json()["code"]) == (409, "LISTING_CLOSED")
    answer = await world.seller.post(f"/listings/{listing['id']}/publish")
    assert (answer.status_code, answer.json()["title"]) == (
        409,
        "'거래 중지' 상태에서는 할 수 없습니다.",
    )
    own = (await world.seller.get(f"/managed-listings/{listing['id']}")).json()
    assert own["suspended_reason"] == "안전 점검 미이행"
    await world.operator.post(f"/listings/{listing['id']}/resume")
    assert (await world.seller.post(f"/listings/{listing['id']}/publish")).status_code == 200


async def test_what_is_never_open_cannot_be_published(world: World):
    body = listing_body(calendar={"weekly": [], "exceptions": []})
    made = (await world.seller.post("/listings", body)).json()
    answer = await world.seller.post(f"/listings/{made['id']}/publish")
    assert answer.json()["errors"][0]["code"] == "NEVER_OPEN"


async def test_a_draft_can_be_removed_but_not_what_was_ordered(world: World):
    listing = await world.listing()
    order = await world.order(listing)
    await world.do(world.buyer, order, "cancel", {"reason": "일정 변경"})
    await world.seller.post(f"/listings/{listing['id']}/withdraw")
    answer = await world.seller.delete(f"/listings/{listing['id']}")
    assert (answer.status_code, answer.json()["code"]) == (409, "LISTING_ORDERED")
    draft = (await world.seller.post("/listings", listing_body())).json()
    assert (await world.seller.delete(f"/listings/{draft['id']}")).status_code == 204
    assert (await world.seller.get(f"/managed-listings/{draft['id']}")).status_code == 404


async def test_photos_are_images_shown_as_attachments(world: World):
    listing = await world.listing()
    path = f"{API}/listings/{listing['id']}/photos"

    async def upload(content: bytes, name: str = "장비.png"):
        files = {"file": (name, content, "image/png")}
        return await world.client.post(path, headers=world.seller.headers, files=files)

    assert (await upload(b"%PDF-1.7")).json()["errors"][0]["code"] == "NOT_AN_IMAGE"
    assert (await upload(b"<html>")).json()["errors"][0]["code"] == "FILE_TYPE"
    assert (await upload(b"")).json()["errors"][0]["code"] == "FILE_EMPTY"
    photo = (await upload(PNG)).json()
    shown = await public(world, f"/listings/{listing['id']}/photos/{photo['id']}")
    assert shown.content == PNG
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-disposition"].startswith("attachment")
    for _ in range(9):
        assert (await upload(PNG)).status_code == 201
    assert (await upload(PNG)).json()["code"] == "TOO_MANY_PHOTOS"
    gone = await world.seller.delete(f"/listings/{listing['id']}/photos/{photo['id']}")
    assert gone.status_code == 204


async def test_training_comes_before_ordering(world: World):
    listing = await world.listing(training_required=True, training_note="안전 교육 2시간")
    answer = await world.buyer.post("/orders", world.wish(listing))
    assert answer.json()["errors"][0]["code"] == "ACCESS_REQUIRED"
    asked = await world.buyer.post(f"/listings/{listing['id']}/access", {"note": "교육 이수"})
    assert asked.json()["state"] == "requested"
    assert (await world.buyer.post("/orders", world.wish(listing))).status_code == 422
    path = f"/listings/{listing['id']}/access/{asked.json()['id']}"
    await world.seller.post(path, {"decision": "grant"})
    order = await world.buyer.post("/orders", world.wish(listing))
    assert order.status_code == 201
    await world.seller.post(path, {"decision": "grant", "valid_until": "2020-01-01"})
    start = monday(3)
    later = world.wish(
        listing, starts_at=start.isoformat(), ends_at=(start + timedelta(hours=1)).isoformat()
    )
    assert (await world.buyer.post("/orders", later)).status_code == 422
    asked_by = (await world.seller.get(f"/listings/{listing['id']}/access")).json()["items"]
    assert [item["buyer_name"] for item in asked_by] == ["(주)가온소재"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"price_won": 0}, "/price_won"),
        ({"price_won": 100.5}, "/price_won"),
        ({"price_won": "1e5"}, "/price_won"),
        ({"title": "  "}, "/title"),
        ({"nfec_number": "NFEC-1"}, "/nfec_number"),
        ({"unit": "minute"}, "/unit"),
        ({"min_quantity": 9, "max_quantity": 3}, ""),
        ({"colour": "red"}, "/colour"),
        ({"calendar": {"weekly": [{"weekday": 7, "opens": "09:00", "closes": "25:00"}]}}, None),
    ],
)
async def test_malformed_listings_are_refused_by_place(world: World, changes, pointer):
    answer = await world.seller.post("/listings", listing_body(**changes))
    assert answer.status_code == 422
    pointers = {item["pointer"] for item in answer.json()["errors"]}
    if pointer is None:
        assert pointers == {"/calendar/weekly/0/weekday", "/calendar/weekly/0/closes"}
    else:
        assert pointers == {pointer}


async def test_a_window_at_the_end_of_time_is_no_crash(world: World):
    listing = await world.listing()
    for start, end in (
        ("9999-12-31T00:00:00Z", "9999-12-31T23:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "0001-01-02T00:00:00Z"),
        ("2027-03-08T00:00:00Z", "2027-03-01T00:00:00Z"),
    ):
        answer = await public(
            world, f"/listings/{listing['id']}/availability", start=start, end=end
        )
        assert answer.status_code in {200, 422}, answer.text
