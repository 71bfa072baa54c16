"""An accrual service on a database of its own, and the people who use it.

The only thing not real is the network to the auth service: `Registry` answers the two internal
calls as auth does, and counts them.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx2
import orjson
from sqlalchemy import text

from shared.brn import check_digit as brn_check_digit
from shared.clock import seoul_day, utc_now

APPLICATIONS = "/api/v1/accrual/applications"
NAMESPACE = UUID("00000000-0000-0000-0000-0000000000aa")
PDF = b"%PDF-1.7\n" + b"0" * 200


def day(offset: int = 0) -> str:
    """A day as sheets write it, so many days from today."""
    return f"{seoul_day(utc_now()) + timedelta(days=offset):%Y%m%d}"


def brn(serial: int) -> str:
    """A valid business registration number."""
    first = f"10481{serial + 1:04d}"
    return f"{first}{brn_check_digit(first)}"


def practice(serial: int = 0, **cells: Any) -> dict[str, Any]:
    """A row of field practice: 4,500,000 won, 450 points."""
    return {
        "brn": brn(0),
        "company_name": "한빛정밀",
        "trainee_name": f"홍길동{serial}",
        "department": "기계공학과",
        "admission_year": "2022",
        "practice_type": "표준",
        "hours": "320",
        "start_date": day(-100),
        "end_date": day(-10),
        "allowance_won": "4500000",
        **cells,
    }


def deposit(contract: str = "2026-1", **cells: Any) -> dict[str, Any]:
    """A row of technology transfer: 50,000,000 won, 1,000 points."""
    return {
        "brn": brn(0),
        "company_name": "한빛정밀",
        "contract_no": contract,
        "title": "미세먼지 저감 필터",
        "deposit_date": day(-10),
        "deposit_won": "50000000",
        **cells,
    }


EVIDENCE = {
    "PRACTICE": ("OFFICIAL_LETTER", "PRACTICE_AGREEMENT"),
    "TECH_TRANSFER": ("OFFICIAL_LETTER", "TRANSFER_CONTRACT", "BANKBOOK"),
    "RESEARCH": ("OFFICIAL_LETTER", "RESEARCH_AGREEMENT", "BANKBOOK"),
    "SCHOLARSHIP": ("OFFICIAL_LETTER", "RECEIPT", "BANKBOOK"),
}


class Registry:
    """The auth service, as far as accrual calls it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.known: dict[str, str] = {}  # registered names by BRN
        self.down = False
        self.kinds: dict[str, str] = {}
        self.statuses: dict[str, str] = {}
        self.closed: dict[str, str] = {}  # days by BRN

    def institution_id(self, number: str) -> UUID:
        return uuid5(NAMESPACE, number)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path == "/api/v1/auth/token":
            return httpx2.Response(
                200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 300}
            )
        if path == "/internal/revocations":
            return httpx2.Response(200, json={"min_pv": {}, "last": 0})
        if self.down:
            return httpx2.Response(503)
        body = orjson.loads(request.content)
        self.calls.append((path, body))
        if path == "/internal/institutions/resolve":
            return httpx2.Response(200, json={"items": self._resolve(body)})
        if path == "/internal/institutions/lookup":
            items = [
                {
                    "institution_id": one,
                    "kind": self.kinds.get(one, "university"),
                    "name": "한국대학교",
                    "brn": None,
                    "status": "active",
                    "capital_area": True,
                }
                for one in body["ids"]
            ]
            return httpx2.Response(200, json={"items": items})
        raise AssertionError(path)

    def _resolve(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        items = []
        for company in body["companies"]:
            number = company["brn"]
            created = number not in self.known
            if created and not body["create"]:
                continue
            items.append(
                {
                    "brn": number,
                    "institution_id": str(self.institution_id(number)),
                    "name": self.known.setdefault(number, company["name"]),
                    "status": self.statuses.get(number, "active"),
                    "closed_on": self.closed.get(number),
                    "created": created,
                }
            )
        return items


class Person:
    """Someone with a token: short names for what one does in the portal."""

    def __init__(self, world: "World", headers: dict[str, str], sub: str) -> None:
        self.world = world
        self.headers = headers
        self.sub = sub

    async def get(self, path: str, **kwargs: Any) -> httpx2.Response:
        return await self.call("GET", path, **kwargs)

    async def post(self, path: str, json: Any = None, **kwargs: Any) -> httpx2.Response:
        return await self.call("POST", path, json=json, **kwargs)

    async def call(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **kwargs: Any
    ) -> httpx2.Response:
        return await self.world.client.request(
            method, path, headers={**self.headers, **(headers or {})}, **kwargs
        )

    async def draft(self, field: str = "PRACTICE", **body: Any) -> str:
        answer = await self.post(APPLICATIONS, {"field": field, **body})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def version(self, application_id: str) -> str:
        return (await self.get(f"{APPLICATIONS}/{application_id}")).headers["etag"]

    async def put_rows(
        self, application_id: str, rows: list[dict[str, Any]], seen: str | None = None
    ) -> httpx2.Response:
        return await self.call(
            "PUT",
            f"{APPLICATIONS}/{application_id}/rows",
            json={"rows": [{"number": n, "cells": cells} for n, cells in enumerate(rows, 1)]},
            headers={"If-Match": seen or await self.version(application_id)},
        )

    async def attach(
        self, application_id: str, kind: str, content: bytes = PDF, name: str = "증빙.pdf"
    ) -> httpx2.Response:
        return await self.call(
            "POST",
            f"{APPLICATIONS}/{application_id}/files",
            files={"file": (name, content, "application/pdf")},
            data={"kind": kind},
        )

    async def ready(self, rows: list[dict[str, Any]], field: str = "PRACTICE") -> str:
        """A draft with rows and all its evidence."""
        application_id = await self.draft(field)
        answer = await self.put_rows(application_id, rows)
        assert answer.status_code == 200, answer.text
        for kind in EVIDENCE[field]:
            assert (await self.attach(application_id, kind)).status_code == 201
        return application_id

    async def submit(self, application_id: str, key: str | None = None) -> httpx2.Response:
        return await self.post(
            f"{APPLICATIONS}/{application_id}/submit",
            headers={"Idempotency-Key": key or uuid4().hex},
        )

    async def submitted(self, rows: list[dict[str, Any]], field: str = "PRACTICE") -> str:
        application_id = await self.ready(rows, field)
        answer = await self.submit(application_id)
        assert answer.status_code == 200, answer.text
        return application_id

    async def act(self, application_id: str, action: str, body: Any = None) -> httpx2.Response:
        return await self.post(f"{APPLICATIONS}/{application_id}/{action}", body)

    async def approve(
        self, application_id: str, key: str | None = None, **body: Any
    ) -> httpx2.Response:
        return await self.post(
            f"{APPLICATIONS}/{application_id}/approve",
            body,
            headers={"Idempotency-Key": key or uuid4().hex},
        )

    async def detail(self, application_id: str) -> dict[str, Any]:
        return (await self.get(f"{APPLICATIONS}/{application_id}")).json()


class World:
    """A running service: its client, its database, and whoever a test wants to be."""

    def __init__(self, runtime: Any, client: Any, tokens: Any, registry: Registry) -> None:
        self.runtime = runtime
        self.client = client
        self.tokens = tokens
        self.registry = registry

    def person(self, *scope: str, **claims: Any) -> Person:
        sub = claims.setdefault("sub", str(uuid4()))
        return Person(self, self.tokens.headers(*scope, **claims), sub)

    def university(self, institution_id: UUID | None = None, **claims: Any) -> Person:
        return self.person(
            "accrual:read",
            "accrual:apply",
            "ledger:read",
            institution_id=institution_id or uuid4(),
            **{"role": "university", "institution_kind": "university", **claims},
        )

    def operator(self, **claims: Any) -> Person:
        return self.person(
            "accrual:read",
            "accrual:review",
            "ledger:read",
            "ledger:adjust",
            role="operator",
            institution_id=uuid5(NAMESPACE, "operator"),
            institution_kind="operator",
            **claims,
        )

    async def sql(self, statement: str, **params: Any) -> list[Any]:
        async with self.runtime.sessions() as session:
            return list((await session.execute(text(statement), params)).all())

    async def change(self, statement: str, **params: Any) -> None:
        async with self.runtime.sessions.begin() as session:
            await session.execute(text(statement), params)
