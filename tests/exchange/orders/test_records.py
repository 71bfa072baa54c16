"""What an order leaves behind: receipt, accrual claim, messages, files, sheets, numbers."""

from datetime import timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy import update

from services.exchange.orders.models import Order
from shared.clock import seoul_day, utc_now
from tests.exchange.conftest import API, World

PDF = b"%PDF-1.7 " + b"x" * 1_000


async def test_a_receipt_adds_up(world: World):
    order = await world.completed(mileage=60)
    early = await world.buyer.get(f"/orders/{order['id']}/receipt")
    assert (early.status_code, early.json()["code"]) == (409, "STATE_CONFLICT")
    await world.pay(order)
    await world.do(world.seller, order, "settle")
    receipt = (await world.buyer.get(f"/orders/{order['id']}/receipt")).json()
    assert receipt["wording"] == "장비·시설 직접 사용료"
    assert receipt["number"] == f"EX-{seoul_day(utc_now()):%y}-{order['number']:06}"
    assert receipt["buyer_brn"] == "1048203590"
    assert receipt["fee_won"] == receipt["discount_won"] + receipt["cash_won"] == 200_000
    assert receipt["supply_won"] + receipt["vat_won"] == receipt["cash_won"] == 140_000
    assert receipt["fee_won"] == receipt["unit_price_won"] * receipt["quantity"]
    assert [payment["amount_won"] for payment in receipt["payments"]] == [140_000]


async def test_an_accrual_claim_counts_cash_alone_and_passes_the_checks_of_the_claim(world: World):
    """M-043: list price 2,500,000, 750 points, so 1,750,000 count: 95 points, not 122."""
    listing = await world.listing(price_won=1_250_000)
    order = await world.settled(listing=listing, mileage=750)
    claim = (await world.seller.get(f"/orders/{order['id']}/accrual-claim")).json()
    assert (claim["field"], claim["net_cash_won"]) == ("EQUIPMENT", 1_750_000)
    [row] = claim["rows"]
    assert row["cells"]["deposit_won"] == "1750000"
    assert row["cells"]["deposit_date"] == f"{seoul_day(utc_now()):%Y%m%d}"
    assert row["cells"]["brn"] == "1048203590"
    supply, vat = int(row["cells"]["supply_won"]), int(row["cells"]["vat_won"])
    assert (supply + vat, vat) == (1_750_000, 159_090)


async def test_every_cell_of_the_claim_is_one_the_equipment_sheet_takes(world: World):
    from services.accrual.applications.columns import COLUMNS

    order = await world.settled()
    claim = (await world.seller.get(f"/orders/{order['id']}/accrual-claim")).json()
    columns = {column.key: column for column in COLUMNS["EQUIPMENT"]}
    cells = claim["rows"][0]["cells"]
    assert set(cells) <= set(columns)
    assert {key for key, column in columns.items() if column.required} <= set(cells)
    choices = {choice.ko for choice in columns["usage_type"].choices}
    assert cells["usage_type"] in choices


async def test_what_was_returned_is_not_claimed(world: World):
    order = await world.completed(mileage=60)
    await world.pay(order, 100_000)
    await world.pay(order, 40_000)
    await world.do(world.seller, order, "settle")
    await world.do(world.seller, order, "refund", {"cash_won": 50_000, "reason": "일부 환불"})
    claim = (await world.seller.get(f"/orders/{order['id']}/accrual-claim")).json()
    assert claim["net_cash_won"] == 90_000
    assert [row["cells"]["deposit_won"] for row in claim["rows"]] == ["90000"]


@pytest.mark.parametrize("what", ["unsettled", "facility", "refunded", "no_show"])
async def test_only_settled_use_of_equipment_can_be_claimed(world: World, what):
    if what == "unsettled":
        order = await world.completed()
    elif what == "facility":
        order = await world.settled(listing=await world.listing(kind="facility"))
    elif what == "refunded":
        order = await world.settled(mileage=60)
        back = {"mileage": 60, "cash_won": 140_000, "reason": "전액 환불"}
        await world.do(world.seller, order, "refund", back)
    else:
        order = await world.order()
        await world.do(world.seller, order, "accept")
        async with world.sessions.begin() as session:
            began = utc_now() - timedelta(hours=1)
            await session.execute(
                update(Order).values(starts_at=began, ends_at=began + timedelta(hours=2))
            )
        order = await world.do(world.seller, order, "no-show", {})
        await world.pay(order)
        await world.do(world.seller, order, "settle")
    answer = await world.seller.get(f"/orders/{order['id']}/accrual-claim")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_ACCRUABLE")


async def test_messages_are_read_by_both_sides_and_a_second_tap_says_it_once(world: World):
    order = await world.order()
    path = f"/orders/{order['id']}/messages"
    for _ in range(2):
        await world.buyer.post(path, {"body": "시료는 전날 보내도 됩니까?"}, key="one")
    await world.seller.post(path, {"body": "네, 오전에 보내세요."})
    for who in (world.buyer, world.seller, world.operator):
        items = (await who.get(path)).json()["items"]
        assert [item["party"] for item in items] == ["buyer", "seller"]


async def test_evidence_is_stored_checked_and_only_for_the_parties(world: World):
    order = await world.order()
    url = f"{API}/orders/{order['id']}/files"

    async def upload(content: bytes):
        return await world.client.post(
            url, headers=world.seller.headers, files={"file": ("입금증.pdf", content)}
        )

    made = (await upload(PDF)).json()
    assert (made["name"], made["size"], made["party"]) == ("입금증.pdf", len(PDF), "seller")
    assert (await upload(b"MZ\x90\x00")).json()["errors"][0]["code"] == "FILE_TYPE"
    shown = await world.buyer.get(f"/orders/{order['id']}/files/{made['id']}")
    assert shown.content == PDF
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["cache-control"] == "no-store"
    stranger = await world.rival.get(f"/orders/{order['id']}/files/{made['id']}")
    assert stranger.status_code == 404
    await world.do(world.seller, order, "accept")
    payment = {
        "amount_won": 1_000,
        "method": "transfer",
        "paid_on": "2026-01-02",
        "reference": "1",
        "file_id": made["id"],
    }
    paid = await world.do(world.seller, order, "payments", payment)
    assert paid["paid_won"] == 1_000
    other = await world.order(await world.listing())
    await world.do(world.seller, other, "accept")
    answer = await world.seller.post(f"/orders/{other['id']}/payments", payment)
    assert answer.status_code == 404  # evidence of another order proves nothing


async def test_the_sheet_holds_ones_own_orders_and_no_formulas(world: World):
    listing = await world.listing(title='=HYPERLINK("http://evil","확인")')
    await world.settled(listing=listing, mileage=60)
    for who, rows in ((world.buyer, 1), (world.seller, 1), (world.rival, 0), (world.operator, 1)):
        answer = await who.get("/orders.xlsx")
        assert answer.headers["content-disposition"].startswith("attachment")
        sheet = load_workbook(BytesIO(answer.content)).active
        assert sheet.max_row - 1 == rows
    cells = {sheet.cell(1, c).value: sheet.cell(2, c) for c in range(1, sheet.max_column + 1)}
    assert cells["상품"].value == '\'=HYPERLINK("http://evil","확인")'
    assert cells["상품"].data_type == "s"
    assert (cells["사용료(원)"].value, cells["마일리지(점)"].value) == (200_000, 60)
    assert (cells["현금(원)"].value, cells["정산 상태"].value) == (140_000, "정산완료")


async def test_an_export_never_leaves_an_order_out_without_a_word(world: World, monkeypatch):
    monkeypatch.setattr("services.exchange.orders.export.MAX_ORDERS", 1)
    await world.order()
    assert (await world.buyer.get("/orders.xlsx")).status_code == 200
    await world.order()
    refused = await world.buyer.get("/orders.xlsx")
    assert (refused.status_code, refused.json()["code"]) == (422, "EXPORT_TOO_LARGE")


async def test_statistics_count_what_was_settled_net_of_refunds(world: World):
    order = await world.settled(mileage=60)
    await world.do(
        world.seller, order, "refund", {"mileage": 20, "cash_won": 40_000, "reason": "환불"}
    )
    await world.order(await world.listing(kind="facility"))
    numbers = (await world.operator.get("/statistics")).json()
    assert numbers["total"] == {
        "orders": 2,
        "settled": 1,
        "fee_won": 200_000,
        "mileage": 40,
        "cash_won": 100_000,
    }
    assert numbers["by_use"] == {"completed": 1, "requested": 1}
    assert {each["kind"]: each["orders"] for each in numbers["by_kind"]} == {
        "equipment": 1,
        "facility": 1,
    }
    assert [each["seller_name"] for each in numbers["sellers"]] == ["한빛대학교"]
    none = (await world.operator.get("/statistics", last="2020-01-01")).json()
    assert none["total"]["orders"] == 0
    for bound in ({"first": "0001-01-01"}, {"last": "9999-12-31"}):
        assert (await world.operator.get("/statistics", **bound)).status_code == 200


async def test_the_operator_sees_what_needs_a_hand(world: World):
    disputed = await world.completed()
    await world.do(world.buyer, disputed, "dispute", {"reason": "이의"})
    overdue = await world.order(await world.listing())
    await world.do(world.seller, overdue, "accept")
    await world.do(world.seller, overdue, "start")
    async with world.sessions.begin() as session:
        began = utc_now() - timedelta(days=5)
        await session.execute(
            update(Order)
            .where(Order.id == overdue["id"])
            .values(starts_at=began, ends_at=began + timedelta(hours=2))
        )
    await world.order(await world.listing())
    items = (await world.operator.get("/attention")).json()["items"]
    assert {(item["why"], item["order"]["id"]) for item in items} == {
        ("disputed", disputed["id"]),
        ("never_completed", overdue["id"]),
    }
