"""Institutions with points of known days, and what they do with certificates."""

import re
import zlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx2
import orjson
import pytest

from services.accrual.ledger import service as ledger
from services.accrual.ledger.rules import ISSUANCE, NewTransfer
from shared.clock import utc_now
from tests.accrual.world import NAMESPACE, Person, Registry, World

CERTIFICATES = "/api/v1/accrual/certificates"
BRN = "1048203590"


class NamedRegistry(Registry):
    """Knows names and business numbers of the institutions that were looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}
        self.brns: dict[str, str] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        answer = super().__call__(request)
        if request.url.path != "/internal/institutions/lookup" or not answer.is_success:
            return answer
        items = orjson.loads(answer.content)["items"]
        for item in items:
            item["name"] = self.names.get(item["institution_id"], item["name"])
            item["brn"] = self.brns.get(item["institution_id"])
        return httpx2.Response(200, json={"items": items})


@pytest.fixture
def registry() -> NamedRegistry:
    return NamedRegistry()


class Holder:
    """Someone of an institution, whose certificates these are."""

    def __init__(self, world: World, person: Person, institution_id: UUID) -> None:
        self.world = world
        self.person = person
        self.institution_id = institution_id

    async def earn(self, points: int, *, field: str | None = "PRACTICE", days_ago: int = 0) -> None:
        async with self.world.runtime.sessions.begin() as session:
            await ledger.post_transfers(session, [_earned(self, points, field, days_ago)])

    async def issue(self, as_of: str | None = None, **body: Any) -> httpx2.Response:
        body = {"as_of": as_of or today(), **body}
        return await self.person.post(CERTIFICATES, body, headers=once())

    async def certificate(self, **body: Any) -> dict[str, Any]:
        answer = await self.issue(**body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def file(self, certificate: dict[str, Any]) -> bytes:
        answer = await self.person.get(f"{CERTIFICATES}/{certificate['id']}/file")
        assert answer.status_code == 200, answer.text
        return answer.content


def _earned(holder: Holder, points: int, field: str | None, days_ago: int) -> NewTransfer:
    """Points that came in, or for a negative number went out again."""
    other = (ISSUANCE, holder.institution_id)
    debit, credit = other if points > 0 else other[::-1]
    return NewTransfer(
        id=uuid4(),
        debit_account=debit,
        credit_account=credit,
        amount=abs(points),
        kind="accrual",
        field=field,
        effective_at=utc_now() - timedelta(days=days_ago) if days_ago else None,
    )


@pytest.fixture
async def holder_of(world: World, registry: NamedRegistry) -> Callable[..., Holder]:
    """`holder_of("university")`: someone of an institution of this kind, with its own number."""

    def make(kind: str = "company", *, name: str = "한빛정밀㈜", brn: str | None = BRN) -> Holder:
        institution_id = uuid4()
        registry.names[str(institution_id)] = name
        registry.kinds[str(institution_id)] = kind
        if brn:
            registry.brns[str(institution_id)] = brn
        person = world.person(
            "ledger:read", role=kind, institution_id=institution_id, institution_kind=kind
        )
        return Holder(world, person, institution_id)

    return make


@pytest.fixture
async def holder(holder_of: Callable[..., Holder]) -> Holder:
    return holder_of()


@pytest.fixture
def verify(world: World) -> Callable[..., Awaitable[httpx2.Response]]:
    """What anyone can ask, without a token."""

    async def ask(number: str, key: str, file: bytes | None = None) -> httpx2.Response:
        if file is None:
            return await world.client.get(f"{CERTIFICATES}/verify/{number}", params={"key": key})
        return await world.client.post(
            f"{CERTIFICATES}/verify",
            data={"number": number, "key": key},
            files={"file": ("확인서.pdf", file, "application/pdf")},
        )

    return ask


def operator(world: World) -> Person:
    return world.operator(sub=str(uuid5(NAMESPACE, "someone")))


def once(key: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": key or uuid4().hex}


def today(days_ago: int = 0) -> str:
    return (utc_now() + timedelta(hours=9, days=-days_ago)).date().isoformat()


def attached_json(pdf: bytes) -> dict[str, Any]:
    """What a PDF carries as its embedded file."""
    start = re.search(rb"<<[^>]*?/Type/EmbeddedFile(?:[^>]|>(?!>\s*stream))*>>\s*stream\r?\n", pdf)
    assert start is not None
    return orjson.loads(zlib.decompressobj().decompress(pdf[start.end() :]))


def moment(days: int) -> datetime:
    return utc_now() + timedelta(days=days)
