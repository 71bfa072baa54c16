"""Grants asks which files and payments also serve an order (C-4)."""

from tests.exchange.conftest import World

PATH = "/internal/evidence-claims"


async def test_the_payment_of_an_order_is_found_by_its_reference(world: World, tokens):
    service = tokens.headers("exchange:read", role="service", client_id="grants", sub="grants")
    done = await world.completed()
    await world.pay(done)
    reference = "20270302-0001"
    body = {"marks": [reference, "KB-000"]}
    answer = await world.seller.client.post(PATH, json=body, headers=service)
    assert answer.json() == {"items": [{"mark": reference, "where": f"거래 주문 {done['number']}"}]}
    user = tokens.headers("exchange:read", institution_id="00000000-0000-0000-0000-000000000001")
    assert (await world.seller.client.post(PATH, json=body, headers=user)).status_code == 403
