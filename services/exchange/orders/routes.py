"""HTTP of the orders. Every move takes an Idempotency-Key, or `?preview=true` to change nothing."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange.ids import new_id
from services.exchange.orders import actions, present, service
from services.exchange.orders.models import Order
from services.exchange.orders.once import Once
from services.exchange.orders.rules import Settlement, Use
from services.exchange.orders.schemas import (
    CompleteIn,
    ConsentIn,
    NoShowIn,
    OrderDetail,
    OrderIn,
    OrderOut,
    PaymentIn,
    QuantityIn,
    QuoteOut,
    ReasonIn,
    RefundIn,
    ResolveIn,
)
from services.exchange.parties import Actor, Party
from services.exchange.web import (
    AnyParty,
    Buyer,
    KnownInstitutions,
    LedgerClient,
    Operator,
    Reader,
    Seller,
    SellerOrOperator,
    ServiceSettings,
    actor_of,
)
from shared.caller import institution_of
from shared.clock import utc_now
from shared.db import Session, SessionMaker
from shared.paging import Page, Paging
from shared.problems import PermissionDenied
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/exchange", tags=["exchange"])

Act = Callable[[AsyncSession, Order, Actor], Awaitable[None]]


@router.post("/orders/preview", response_model=QuoteOut)
async def quote_order(
    body: OrderIn,
    buyer: Buyer,
    institutions: KnownInstitutions,
    ledger: LedgerClient,
    settings: ServiceSettings,
    sessions: SessionMaker,
) -> QuoteOut:
    """견적: 사용료, 쓸 수 있는 마일리지의 최대, 현금, 취소 조건. 아무것도 바꾸지 않습니다."""
    actor = _buying(buyer)
    institution = await institutions.get(institution_of(buyer))
    balance = await ledger.balance(institution.id)
    async with sessions() as session:
        quote = await service.quote(
            session,
            service.Wish(**body.model_dump()),
            buyer=institution,
            available=balance.available,
            horizon_days=settings.booking_horizon_days,
            now=utc_now(),
        )
    assert actor.party is Party.BUYER
    return present.quote_out(quote)


@router.post("/orders", response_model=OrderOut, status_code=201)
async def request_order(
    body: OrderIn,
    buyer: Buyer,
    run: Once,
    institutions: KnownInstitutions,
    settings: ServiceSettings,
) -> Response:
    """신청: 시간을 잡고 마일리지를 보류합니다.

    원장이 답하지 않으면 `settlement=holding`으로 접수되고 곧 이어서 처리합니다.
    """
    actor = _buying(buyer)
    institution = await institutions.get(institution_of(buyer))
    wish = service.Wish(**body.model_dump())
    order_id = new_id()

    async def move(session: AsyncSession) -> Order:
        return await service.request(
            session,
            wish,
            order_id=order_id,
            buyer=institution,
            actor=actor,
            horizon_days=settings.booking_horizon_days,
            now=utc_now(),
        )

    return await run(order_id, move, _answer(actor), status=201)


@router.get("/orders", response_model=Page[OrderOut])
async def list_orders(
    reader: Reader,
    page: Paging,
    session: Session,
    use: Use | None = None,
    settlement: Settlement | None = None,
    listing_id: UUID | None = None,
) -> dict[str, Any]:
    """기업은 구매한 신청, 대학은 판매한 신청, 운영기관은 모든 신청."""
    actor, now = actor_of(reader), utc_now()
    items, cursor, total = await service.listed(
        session,
        party=actor.party,
        institution_id=actor.institution_id,
        use=use,
        settlement=settlement,
        listing_id=listing_id,
        page=page,
    )
    shown = [present.order_out(order, actor, now=now) for order in items]
    return {"items": shown, "next_cursor": cursor, "total": total}


@router.get("/orders/{order_id}", response_model=OrderDetail)
async def get_order(order_id: UUID, reader: Reader, session: Session) -> OrderDetail:
    actor = actor_of(reader)
    order = await service.visible(
        session, order_id, party=actor.party, institution_id=actor.institution_id
    )
    return await present.order_detail(session, order, actor, now=utc_now())


@router.post("/orders/{order_id}/accept", response_model=OrderOut)
async def accept_order(order_id: UUID, seller: Seller, run: Once) -> Response:
    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.accept(session, order, actor, now=utc_now())

    return await _run(run, order_id, seller, act)


@router.post("/orders/{order_id}/decline", response_model=OrderOut)
async def decline_order(order_id: UUID, body: ReasonIn, seller: Seller, run: Once) -> Response:
    """반려: 시간과 마일리지를 모두 돌려줍니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.decline(session, order, actor, reason=body.reason, now=utc_now())

    return await _run(run, order_id, seller, act)


@router.post("/orders/{order_id}/cancel", response_model=OrderOut)
async def cancel_order(order_id: UUID, body: ReasonIn, buyer: Buyer, run: Once) -> Response:
    """구매 기관의 취소. 무료 취소 시각이 지나면 취소 수수료가 남습니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.cancel(session, order, actor, reason=body.reason, now=utc_now())

    return await _run(run, order_id, buyer, act)


@router.post("/orders/{order_id}/call-off", response_model=OrderOut)
async def call_off_order(
    order_id: UUID, body: ReasonIn, caller: SellerOrOperator, run: Once
) -> Response:
    """판매 기관 사정의 취소: 수수료가 없습니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.call_off(session, order, actor, reason=body.reason, now=utc_now())

    return await _run(run, order_id, caller, act)


@router.post("/orders/{order_id}/start", response_model=OrderOut)
async def start_order(order_id: UUID, seller: Seller, run: Once) -> Response:
    return await _run(run, order_id, seller, actions.start)


@router.post("/orders/{order_id}/no-show", response_model=OrderOut)
async def mark_no_show(order_id: UUID, body: NoShowIn, seller: Seller, run: Once) -> Response:
    """미이용: 약정한 수수료를 남기거나 면제합니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.no_show(session, order, actor, waive=body.waive, now=utc_now())

    return await _run(run, order_id, seller, act)


@router.post("/orders/{order_id}/adjustment", response_model=OrderOut)
async def propose_adjustment(
    order_id: UUID, body: QuantityIn, seller: Seller, run: Once
) -> Response:
    """약정보다 많은 수량의 동의를 구매 기관에 요청합니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.adjust(session, order, actor, quantity=body.quantity, reason=body.reason)

    return await _run(run, order_id, seller, act)


@router.post("/orders/{order_id}/adjustment/answer", response_model=OrderOut)
async def answer_adjustment(order_id: UUID, body: ConsentIn, buyer: Buyer, run: Once) -> Response:
    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.answer_adjustment(session, order, actor, consent=body.consent)

    return await _run(run, order_id, buyer, act)


@router.post("/orders/{order_id}/complete", response_model=OrderOut)
async def complete_order(
    order_id: UUID,
    body: CompleteIn,
    caller: SellerOrOperator,
    settings: ServiceSettings,
    run: Once,
) -> Response:
    """이용완료: 실제 수량으로 사용료를 확정합니다(약정보다 많을 수 없습니다)."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.complete(
            session,
            order,
            actor,
            actual_quantity=body.actual_quantity,
            note=body.note,
            objection_days=settings.objection_days,
            now=utc_now(),
        )

    return await _run(run, order_id, caller, act)


@router.post("/orders/{order_id}/payments", response_model=OrderOut, status_code=201)
async def record_payment(
    order_id: UUID, body: PaymentIn, seller: Seller, settings: ServiceSettings, run: Once
) -> Response:
    """받은(또는 돌려준) 현금을 증빙과 함께 기록합니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.record_payment(
            session,
            order,
            actor,
            **body.model_dump(),
            objection_days=settings.objection_days,
            now=utc_now(),
        )

    return await _run(run, order_id, seller, act, status=201)


@router.post("/orders/{order_id}/settle", response_model=OrderOut)
async def settle_order(order_id: UUID, seller: Seller, run: Once) -> Response:
    """정산: 확정한 마일리지가 판매 대학으로 옮겨집니다."""
    return await _run(run, order_id, seller, actions.settle)


@router.post("/orders/{order_id}/dispute", response_model=OrderOut)
async def dispute_order(order_id: UUID, body: ReasonIn, caller: AnyParty, run: Once) -> Response:
    """분쟁 제기: 운영기관이 정할 때까지 정산을 멈춥니다. 운영기관도 직권으로 제기할 수 있습니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.dispute(session, order, actor, reason=body.reason)

    return await _run(run, order_id, caller, act)


@router.post("/orders/{order_id}/dispute/withdraw", response_model=OrderOut)
async def withdraw_dispute(
    order_id: UUID, caller: AnyParty, settings: ServiceSettings, run: Once
) -> Response:
    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.withdraw_dispute(
            session, order, actor, objection_days=settings.objection_days, now=utc_now()
        )

    return await _run(run, order_id, caller, act)


@router.post("/orders/{order_id}/dispute/resolve", response_model=OrderOut)
async def resolve_dispute(
    order_id: UUID, body: ResolveIn, operator: Operator, settings: ServiceSettings, run: Once
) -> Response:
    """운영기관이 사용료를 확정해 분쟁을 끝냅니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.resolve(
            session,
            order,
            actor,
            charged_won=body.charged_won,
            reason=body.reason,
            objection_days=settings.objection_days,
            now=utc_now(),
        )

    return await _run(run, order_id, operator, act)


@router.post("/orders/{order_id}/refund", response_model=OrderOut)
async def refund_order(
    order_id: UUID, body: RefundIn, caller: SellerOrOperator, run: Once
) -> Response:
    """정산 뒤의 환불: 마일리지는 원장에서 되돌리고, 돌려준 현금을 적습니다."""

    async def act(session: AsyncSession, order: Order, actor: Actor) -> None:
        await actions.refund(session, order, actor, **body.model_dump())

    return await _run(run, order_id, caller, act)


async def _run(
    run: Once, order_id: UUID, claims: Claims, act: Act, *, status: int = 200
) -> Response:
    """Any action on an order: as the caller's party, on the locked order, once per key."""
    actor = actor_of(claims)

    async def move(session: AsyncSession) -> Order:
        order = await service.locked(
            session, order_id, party=actor.party, institution_id=actor.institution_id
        )
        await act(session, order, actor)
        return order

    return await run(order_id, move, _answer(actor), status=status)


def _answer(actor: Actor) -> Callable[[Order], OrderOut]:
    return lambda order: present.order_out(order, actor, now=utc_now())


def _buying(claims: Claims) -> Actor:
    actor = actor_of(claims)
    if actor.party is not Party.BUYER:
        raise PermissionDenied
    return actor
