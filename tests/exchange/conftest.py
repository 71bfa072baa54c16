"""A small world around the exchange: a university, two companies, an operator, and the ledger."""

import itertools
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI

from services.exchange.app import create_app
from services.exchange.orders import driver
from services.exchange.settings import Settings
from shared.clock import SEOUL, utc_now
from shared.runtime import Runtime
from tests.conftest import Tokens
from tests.exchange.ledger import RealLedger

API = "/api/v1/exchange"

SCOPES = {
    "university": ("exchange:read", "exchange:sell"),
    "company": ("exchange:read", "exchange:buy"),
    "operator": ("exchange:read", "exchange:admin"),
}


def monday(weeks: int = 2) -> datetime:
    """09:00 (KST) of a Monday some weeks ahead."""
    today = utc_now().astimezone(SEOUL).date()
    day = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
    return datetime.combine(day, time(9), SEOUL)


def listing_body(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "equipment",
        "use_mode": "direct",
        "unit": "hour",
        "title": "전계방출 주사전자현미경",
        "description": "고분해능 FE-SEM, EDS 성분 분석",
        "maker": "JEOL",
        "model": "JSM-7900F",
        "location": "공학관 B101",
        "zeus_number": "Z-202011187213",
        "nfec_number": "NFEC-2020-11-267213",
        "price_won": 100_000,
        "min_quantity": 1,
        "max_quantity": 40,
        "terms": "장비 사용 수칙을 지킵니다.",
        "cancellation": {
            "free_until_hours": 24,
            "late_fee_percent": 50,
            "no_show_fee_percent": 100,
        },
        "lead_time_hours": 24,
        "calendar": {
            "weekly": [{"weekday": day, "opens": "09:00", "closes": "18:00"} for day in range(5)],
            "exceptions": [],
        },
        **changes,
    }


class Network(httpx2.AsyncBaseTransport):
    """What the exchange can reach: the token endpoint, the registry, and the real ledger.

    `to_ledger` may be replaced by a wire that loses, delays or repeats what passes through.
    """

    def __init__(self, ledger: RealLedger) -> None:
        self.names: dict[str, tuple[str, str, str | None]] = {}
        self.to_ledger: Callable[[httpx2.Request], Awaitable[httpx2.Response]] = ledger.deliver

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        match request.url.path:
            case "/api/v1/auth/token":
                return httpx2.Response(200, json={"access_token": "token", "expires_in": 300})
            case "/internal/revocations":
                return httpx2.Response(200, json={"min_pv": {}, "last": 0})
            case "/internal/institutions/lookup":
                return self._lookup(json.loads(request.content)["ids"])
        return await self.to_ledger(request)

    def _lookup(self, ids: list[str]) -> httpx2.Response:
        items = [
            {
                "institution_id": one,
                "kind": self.names[one][0],
                "name": self.names[one][1],
                "brn": self.names[one][2],
                "status": "active",
                "capital_area": None,
            }
            for one in ids
            if one in self.names
        ]
        return httpx2.Response(200, json={"items": items})


class Actor:
    """Somebody with a token, talking to the exchange."""

    _keys = itertools.count(1)

    def __init__(self, client: httpx2.AsyncClient, headers: dict[str, str], id_: UUID) -> None:
        self.client, self.headers, self.id = client, headers, id_

    async def get(self, path: str, **params: Any) -> httpx2.Response:
        return await self.client.get(API + path, headers=self.headers, params=params)

    async def post(
        self, path: str, body: Any = None, *, key: str | None = None, **extra: Any
    ) -> httpx2.Response:
        headers = self.headers | {"Idempotency-Key": key or f"key-{next(self._keys)}"}
        return await self.client.post(API + path, headers=headers, json=body, **extra)

    async def put(self, path: str, body: Any, *, seen: int) -> httpx2.Response:
        headers = self.headers | {"If-Match": f'"{seen}"'}
        return await self.client.put(API + path, headers=headers, json=body)

    async def delete(self, path: str) -> httpx2.Response:
        return await self.client.delete(API + path, headers=self.headers)


class World:
    def __init__(
        self,
        runtime: Runtime,
        app: FastAPI,
        client: httpx2.AsyncClient,
        network: Network,
        ledger: RealLedger,
        tokens: Tokens,
    ) -> None:
        self.runtime, self.app, self.client = runtime, app, client
        self.network, self.ledger, self.tokens = network, ledger, tokens
        self.sessions = runtime.sessions
        self.seller = self.actor("university", "한빛대학교")
        self.buyer = self.actor("company", "(주)가온소재", brn="1048203590")
        self.rival = self.actor("company", "다온바이오(주)")
        self.operator = self.actor("operator", "운영기관")

    def actor(
        self,
        kind: str,
        name: str,
        *,
        brn: str | None = None,
        scopes: tuple[str, ...] | None = None,
        institution: UUID | None = None,
    ) -> Actor:
        id_ = institution or uuid4()
        self.network.names[str(id_)] = (kind, name, brn)
        headers = self.tokens.headers(
            *(SCOPES[kind] if scopes is None else scopes),
            role=kind,
            institution_id=id_,
            institution_kind=kind,
        )
        return Actor(self.client, headers, id_)

    async def listing(self, *, seller: Actor | None = None, **changes: Any) -> dict[str, Any]:
        """A published listing."""
        seller = seller or self.seller
        made = await seller.post("/listings", listing_body(**changes))
        assert made.status_code == 201, made.text
        listed = await seller.post(f"/listings/{made.json()['id']}/publish")
        assert listed.status_code == 200, listed.text
        body: dict[str, Any] = listed.json()
        return body

    def wish(self, listing: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Two hours on a Monday morning, 30 points of the 60 that 200,000 won allow."""
        start = monday()
        return {
            "listing_id": listing["id"],
            "starts_at": start.isoformat(),
            "ends_at": (start + timedelta(hours=2)).isoformat(),
            "mileage": 30,
            **changes,
        }

    async def order(self, listing: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """A requested order, its mileage held."""
        listing = listing or await self.listing()
        made = await self.buyer.post("/orders", self.wish(listing, **changes))
        assert made.status_code == 201, made.text
        body: dict[str, Any] = made.json()
        return body

    async def do(self, who: Actor, order: dict[str, Any], path: str, body: Any = None) -> Any:
        """An action that must succeed; the order after it."""
        done = await who.post(f"/orders/{order['id']}/{path}", body)
        assert done.is_success, done.text
        return done.json()

    async def completed(self, *, actual: int = 2, **changes: Any) -> dict[str, Any]:
        order = await self.order(**changes)
        await self.do(self.seller, order, "accept")
        await self.do(self.seller, order, "start")
        done: dict[str, Any] = await self.do(
            self.seller, order, "complete", {"actual_quantity": actual}
        )
        return done

    async def pay(self, order: dict[str, Any], amount: int | None = None) -> dict[str, Any]:
        paid: dict[str, Any] = await self.do(
            self.seller,
            order,
            "payments",
            {
                "amount_won": order["cash_due_won"] if amount is None else amount,
                "method": "transfer",
                "paid_on": utc_now().astimezone(SEOUL).date().isoformat(),
                "reference": "20270302-0001",
            },
        )
        return paid

    async def settled(self, **changes: Any) -> dict[str, Any]:
        order = await self.completed(**changes)
        await self.pay(order)
        done: dict[str, Any] = await self.do(self.seller, order, "settle")
        return done

    async def sweep(self, *, after: timedelta = timedelta()) -> None:
        """What the worker's schedule does, some time from now."""
        await driver.sweep(self.sessions, self.app.state.ledger, now=utc_now() + after)


@pytest.fixture
async def world(
    runtime_of: Any, client_of: Callable[[FastAPI], httpx2.AsyncClient], tokens: Tokens
) -> World:
    ledger = await RealLedger.start(runtime_of, tokens)
    network = Network(ledger)
    runtime = await runtime_of("exchange", Settings, transport=network)
    app = create_app(runtime.settings, runtime)
    world = World(runtime, app, client_of(app), network, ledger, tokens)
    for company in (world.buyer, world.rival):
        await ledger.give(company.id, 10_000)
    return world
