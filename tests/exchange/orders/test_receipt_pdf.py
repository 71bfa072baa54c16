"""The receipt on paper: what it says, for whom, and that it is the same each time."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from services.exchange.orders import printing
from services.exchange.orders.documents import Receipt
from services.exchange.orders.models import Payment
from shared.typeset import drawable, legible_json
from tests.exchange.conftest import World

AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def payment(**changes: Any) -> Payment:
    values = {
        "direction": "received",
        "amount_won": 1_750_000,
        "method": "transfer",
        "paid_on": date(2026, 3, 2),
        "reference": "20260302-0001",
        **changes,
    }
    return Payment(**values)


def receipt(**changes: Any) -> Receipt:
    values = {
        "number": "EX-26-000012",
        "wording": "장비·시설 직접 사용료",
        "settled_at": AT,
        "as_of": AT,
        "starts_at": AT,
        "ends_at": AT.replace(hour=6),
        "listing_title": "전계방출 주사전자현미경",
        "seller_id": uuid4(),
        "seller_name": "한빛대학교",
        "buyer_id": uuid4(),
        "buyer_name": "(주)가온소재",
        "buyer_brn": "1048203590",
        "unit": "hour",
        "unit_price_won": 500_000,
        "quantity": 5,
        "fee_won": 2_500_000,
        "mileage": 750,
        "discount_won": 750_000,
        "cash_won": 1_750_000,
        "supply_won": 1_590_910,
        "vat_won": 159_090,
        "mileage_refunded": 0,
        "cash_refunded_won": 0,
        "payments": [payment()],
        **changes,
    }
    return Receipt(**values)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type ?/Page\b", pdf))


def test_a_page_says_what_the_receipt_says():
    page = printing._page(receipt(mileage_refunded=50, cash_refunded_won=1_000))
    assert page["agreed"] == "500,000원 × 5시간"
    assert page["used_at"] == "2026-03-02 10:30 ~ 2026-03-02 15:30"
    assert (page["fee"], page["discount"], page["cash"]) == ("2,500,000", "-750,000", "1,750,000")
    assert (page["supply"], page["vat"]) == ("1,590,910", "159,090")
    assert page["buyer_brn"] == "104-82-03590"
    assert page["refund"] == {"mileage": "50점", "cash": "1,000원"}
    assert page["payments"] == [
        {
            "day": "2026-03-02",
            "direction": "입금",
            "method": "계좌이체",
            "reference": "20260302-0001",
            "amount": "1,750,000",
        }
    ]


def test_the_same_receipt_gives_the_same_bytes_and_another_one_others():
    one = receipt()
    first = printing.receipt_pdf(one)
    assert first.startswith(b"%PDF-")
    assert printing.receipt_pdf(one) == first
    assert printing.receipt_pdf(replace(one, mileage=749)) != first


def test_a_usual_receipt_is_one_page_and_a_long_one_goes_on():
    assert pages(printing.receipt_pdf(receipt())) == 1
    many = [payment(reference=f"{n}") for n in range(200)]
    assert pages(printing.receipt_pdf(receipt(payments=many))) > 2


@pytest.mark.parametrize(
    "odd",
    [
        "현미경 😀 #[x] $y$ \\ *z*",
        '#import "/etc/passwd"',
        "가" * 200,
        "a" * 200,
        "<h1>",
        "_",
        "한\u0000글",
    ],
)
def test_no_words_of_others_break_the_page_or_are_taken_for_commands(odd: str):
    page = receipt(listing_title=odd, seller_name=odd, buyer_name=odd, payments=[payment()])
    assert pages(printing.receipt_pdf(page)) == 1
    assert {ord(char) for char in json.loads(legible_json(odd))} <= drawable()


def test_the_template_is_drawable():
    template = printing.TEMPLATE.path.read_text(encoding="utf-8")
    assert {ord(char) for char in template if char != "\n"} <= drawable()


async def test_both_sides_print_it_once_it_is_settled_and_nobody_else(world: World):
    order = await world.completed()
    path = f"/orders/{order['id']}/receipt.pdf"
    early = await world.buyer.get(path)
    assert (early.status_code, early.json()["code"]) == (409, "STATE_CONFLICT")
    await world.pay(order)
    await world.do(world.seller, order, "settle")
    printed = await world.buyer.get(path)
    assert printed.headers["content-type"] == "application/pdf"
    assert "attachment" in printed.headers["content-disposition"]
    assert f"{order['number']:06}.pdf" in printed.headers["content-disposition"]
    assert printed.content == (await world.seller.get(path)).content
    assert (await world.rival.get(path)).status_code == 404
    await world.do(world.seller, order, "refund", {"mileage": 10, "reason": "환불"})
    assert (await world.buyer.get(path)).content != printed.content
