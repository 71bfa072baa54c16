"""Programmes as the grants service tells of them, and institutions with points to use."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.accrual.ledger import service as ledger
from services.accrual.ledger.rules import ISSUANCE, NewTransfer
from services.grants.certification.schemas import CertifiedOut
from services.grants.programmes.schemas import BonusRule, BonusRuleOut
from shared.clock import utc_now
from tests.accrual.world import Person, Registry, World

URL = "/api/v1/accrual/utilisations"
AGENCY = uuid4()
BUSAN: dict[str, Any] = {
    "points_per_step": "0.1",
    "mileage_per_step": 1_000,
    "max_points": "1.0",
    "unit": "%p",
}


class Neighbours(Registry):
    """Auth, and grants with the schema of grants' own answer: if that changes, so does this."""

    def __init__(self) -> None:
        super().__init__()
        self.programmes: dict[UUID, BonusRuleOut] = {}
        self.certificates: dict[UUID, str] = {}
        self.certifier_is_down = False

    def programme(self, *, opens: int = -1, closes: int = 1, published: bool = True, **rule: Any):
        """A programme open for so many days around now; without `rule` it gives no bonus."""
        one, now = uuid4(), utc_now()
        self.programmes[one] = BonusRuleOut(
            programme_id=one,
            agency_id=AGENCY,
            name="부산 지역산업 육성",
            opens_at=now + timedelta(days=opens),
            closes_at=now + timedelta(days=closes),
            published=published,
            bonus_rule=BonusRule(**rule).model_dump() if rule else None,
        )
        return one

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/certification"):
            return self._certification(request)
        if not request.url.path.startswith("/internal/programmes/"):
            return super().__call__(request)
        found = self.programmes.get(UUID(request.url.path.split("/")[3]))
        if found is None:
            return httpx2.Response(404, json={"code": "PROGRAMME_NOT_FOUND"})
        return httpx2.Response(200, json=found.model_dump(mode="json"))

    def _certification(self, request: httpx2.Request) -> httpx2.Response:
        if self.certifier_is_down:
            return httpx2.Response(503, json={})
        institution, on = UUID(request.url.path.split("/")[3]), request.url.params["on"]
        number = self.certificates.get(institution)
        answer = CertifiedOut(
            institution_id=institution,
            on=on,
            certified=number is not None,
            number=number,
            valid_until="2099-12-31" if number else None,
        )
        return httpx2.Response(200, json=answer.model_dump(mode="json"))


@pytest.fixture
def registry() -> Neighbours:
    return Neighbours()


class Holder:
    """Somebody of an institution with points."""

    def __init__(self, world: World, person: Person, institution_id: UUID) -> None:
        self.world = world
        self.person = person
        self.institution_id = institution_id

    async def ask(self, programme: UUID, mileage: int, **more: Any) -> httpx2.Response:
        body = {"programme_id": str(programme), "mileage": mileage, **more}
        return await self.person.post(URL, body, headers=once())

    async def asked(self, programme: UUID, mileage: int, **more: Any) -> dict[str, Any]:
        answer = await self.ask(programme, mileage, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def points(self) -> tuple[int, int, int]:
        async with self.world.runtime.sessions() as session:
            now = await ledger.account(session, self.institution_id)
        return now.balance, now.held, now.available


def once() -> dict[str, str]:
    return {"Idempotency-Key": uuid4().hex}


@pytest.fixture
def holder_of(world):
    """`await holder_of(10_499, kind="company")`"""

    async def make(points: int, kind: str = "university") -> Holder:
        institution_id = uuid4()
        scope = ("ledger:read", "accrual:apply" if kind == "university" else "exchange:buy")
        person = world.person(
            *scope, role=kind, institution_id=institution_id, institution_kind=kind
        )
        if points:
            async with world.runtime.sessions.begin() as session:
                earned = NewTransfer(
                    id=uuid4(),
                    debit_account=ISSUANCE,
                    credit_account=institution_id,
                    amount=points,
                    kind="accrual",
                )
                await ledger.post_transfers(session, [earned])
        return Holder(world, person, institution_id)

    return make
