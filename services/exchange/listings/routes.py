"""HTTP of the listings: a public shop window, the sellers' desk, the operator's brake."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, UploadFile
from pydantic import AwareDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from services.exchange import errors
from services.exchange.listings import access, photos, service, slots
from services.exchange.listings.models import Listing
from services.exchange.listings.rules import Kind, Status, Unit, UseMode
from services.exchange.listings.schemas import (
    AccessDecisionIn,
    AccessIn,
    AccessOut,
    AvailabilityOut,
    CancellationOut,
    ListingIn,
    ListingOut,
    ListingSummary,
    PeriodOut,
    PhotoOut,
    RateCards,
    ReasonIn,
)
from services.exchange.mileage import mileage_cap
from services.exchange.parties import Party
from services.exchange.web import (
    Buyer,
    FileStore,
    KnownInstitutions,
    Operator,
    Reader,
    Seller,
    actor_of,
)
from shared.caller import institution_of
from shared.clock import utc_now
from shared.db import Session, SessionMaker
from shared.downloads import ANY, download, send
from shared.files import chunks_of
from shared.paging import Page, Paging
from shared.preconditions import SeenVersion, tag
from shared.problems import Invalid, PermissionDenied
from shared.tokens import Claims

router = APIRouter(prefix="/api/v1/exchange", tags=["exchange"])

AVAILABILITY_DAYS = 62
AVAILABILITY_YEARS = 2


async def _search(
    q: Annotated[str | None, Query(max_length=100, description="낱말(빈칸은 모두 포함)")] = None,
    kind: Kind | None = None,
    use_mode: UseMode | None = None,
    unit: Unit | None = None,
    seller_id: UUID | None = None,
    max_price_won: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    training_required: bool | None = None,
    sort: Literal["-listed_at", "listed_at", "price_won", "-price_won"] = "-listed_at",
) -> service.Search:
    return service.Search(
        q, kind, use_mode, unit, seller_id, max_price_won, training_required, sort
    )


Search = Annotated[service.Search, Depends(_search)]


@router.get("/listings", response_model=Page[ListingSummary])
async def search_listings(wanted: Search, page: Paging, session: Session) -> dict[str, Any]:
    """공개된 상품 검색(로그인 없이)."""
    items, cursor, total = await service.search(session, wanted, page)
    return {"items": items, "next_cursor": cursor, "total": total}


@router.get("/listings/{listing_id}", response_model=ListingOut)
async def get_listing(listing_id: UUID, session: Session, response: Response) -> ListingOut:
    """공개된 상품 한 건(로그인 없이)."""
    return await _shown(session, await service.public(session, listing_id), response)


@router.get("/listings/{listing_id}/availability", response_model=AvailabilityOut)
async def get_availability(
    listing_id: UUID, start: AwareDatetime, end: AwareDatetime, session: Session
) -> AvailabilityOut:
    """예약할 수 있는 시간과 예약된 시간. 한 번에 62일까지."""
    listing = await service.public(session, listing_id)
    free, booked = await slots.availability(session, listing, *_window(start, end, now=utc_now()))
    return AvailabilityOut(free=_periods(free), booked=_periods(booked))


@router.get("/listings/{listing_id}/photos/{photo_id}", **download(ANY))
async def get_photo(
    listing_id: UUID, photo_id: UUID, session: Session, files: FileStore
) -> Response:
    """공개된 상품의 사진."""
    await service.public(session, listing_id)
    photo = await photos.get(session, listing_id, photo_id)
    return send(
        files.get(photo.key),
        photo.name,
        photo.media_type,
        size=photo.size,
        headers={"Cache-Control": "public, max-age=86400, immutable"},
    )


@router.get("/managed-listings", response_model=Page[ListingSummary])
async def manage_listings(
    wanted: Search, page: Paging, reader: Reader, session: Session, status: Status | None = None
) -> dict[str, Any]:
    """판매 기관은 자기 상품 전부, 운영기관은 모든 상품(임시저장·거래 중지 포함)."""
    items, cursor, total = await service.managed(
        session, seller_id=_managing(reader), status=status, wanted=wanted, page=page
    )
    return {"items": items, "next_cursor": cursor, "total": total}


@router.get("/managed-listings/{listing_id}", response_model=ListingOut)
async def get_managed_listing(
    listing_id: UUID, reader: Reader, session: Session, response: Response
) -> ListingOut:
    seller_id = _managing(reader)
    if seller_id is None:
        listing = await service.any_listing(session, listing_id)
    else:
        listing = await service.own(session, listing_id, seller_id=seller_id)
    return await _shown(session, listing, response)


@router.get("/managed-listings/{listing_id}/rate-cards", response_model=RateCards)
async def list_rate_cards(listing_id: UUID, reader: Reader, session: Session) -> dict[str, Any]:
    """가격표의 모든 판, 새것부터."""
    seller_id = _managing(reader)
    if seller_id is not None:
        await service.own(session, listing_id, seller_id=seller_id)
    else:
        await service.any_listing(session, listing_id)
    return {"items": await service.rate_cards(session, listing_id)}


@router.post("/listings", response_model=ListingOut, status_code=201)
async def add_listing(
    body: ListingIn,
    seller: Seller,
    institutions: KnownInstitutions,
    session: Session,
    response: Response,
) -> ListingOut:
    """새 상품(임시저장 상태)."""
    institution = await institutions.get(_selling(seller))
    listing = await service.add(session, seller=institution, by=seller.sub, values=_values(body))
    return await _shown(session, listing, response)


@router.put("/listings/{listing_id}", response_model=ListingOut)
async def change_listing(
    listing_id: UUID,
    body: ListingIn,
    seen: SeenVersion,
    seller: Seller,
    session: Session,
    response: Response,
) -> ListingOut:
    """상품 수정. 가격이 바뀌면 새 가격표가 되고, 이미 한 신청은 옛 가격을 지킵니다."""
    listing = await service.change(
        session,
        listing_id,
        seller_id=_selling(seller),
        by=seller.sub,
        seen=seen,
        values=_values(body),
        now=utc_now(),
    )
    return await _shown(session, listing, response)


@router.delete("/listings/{listing_id}", status_code=204)
async def remove_listing(
    listing_id: UUID, seller: Seller, sessions: SessionMaker, files: FileStore
) -> None:
    """신청이 한 번도 없던 임시저장 상품을 지웁니다."""
    async with sessions.begin() as session:
        keys = await service.remove(session, listing_id, seller_id=_selling(seller))
    for key in keys:
        await files.delete(key)


@router.post("/listings/{listing_id}/publish", response_model=ListingOut)
async def publish_listing(
    listing_id: UUID, seller: Seller, session: Session, response: Response
) -> ListingOut:
    listing = await service.publish(session, listing_id, seller_id=_selling(seller), now=utc_now())
    return await _shown(session, listing, response)


@router.post("/listings/{listing_id}/withdraw", response_model=ListingOut)
async def withdraw_listing(
    listing_id: UUID, seller: Seller, session: Session, response: Response
) -> ListingOut:
    """공개를 거둡니다. 이미 받은 신청은 그대로 진행됩니다."""
    listing = await service.withdraw(session, listing_id, seller_id=_selling(seller))
    return await _shown(session, listing, response)


@router.post("/listings/{listing_id}/suspend", response_model=ListingOut)
async def suspend_listing(
    listing_id: UUID, body: ReasonIn, operator: Operator, session: Session, response: Response
) -> ListingOut:
    """운영기관이 거래를 중지합니다."""
    listing = await service.suspend(session, listing_id, reason=body.reason)
    return await _shown(session, listing, response)


@router.post("/listings/{listing_id}/resume", response_model=ListingOut)
async def resume_listing(
    listing_id: UUID, operator: Operator, session: Session, response: Response
) -> ListingOut:
    """거래 중지를 풉니다(임시저장 상태로)."""
    return await _shown(session, await service.resume(session, listing_id), response)


@router.post("/listings/{listing_id}/photos", response_model=PhotoOut, status_code=201)
async def add_photo(
    listing_id: UUID, file: UploadFile, seller: Seller, sessions: SessionMaker, files: FileStore
) -> Any:
    """사진(JPEG·PNG, 10MB 이하, 10장까지)."""
    return await photos.add(
        sessions,
        files,
        listing_id,
        seller_id=_selling(seller),
        name=file.filename or "photo",
        chunks=chunks_of(file),
    )


@router.delete("/listings/{listing_id}/photos/{photo_id}", status_code=204)
async def remove_photo(
    listing_id: UUID,
    photo_id: UUID,
    seller: Seller,
    sessions: SessionMaker,
    files: FileStore,
) -> None:
    async with sessions.begin() as session:
        key = await photos.remove(session, listing_id, photo_id, seller_id=_selling(seller))
    await files.delete(key)


@router.post("/listings/{listing_id}/access", response_model=AccessOut, status_code=201)
async def ask_for_access(
    listing_id: UUID,
    body: AccessIn,
    buyer: Buyer,
    institutions: KnownInstitutions,
    session: Session,
) -> Any:
    """교육이 필요한 상품의 사용 자격을 신청합니다."""
    if actor_of(buyer).party is not Party.BUYER:
        raise PermissionDenied
    institution = await institutions.get(institution_of(buyer))
    listing = await service.public(session, listing_id)
    return await access.ask(session, listing, buyer=institution, note=body.note)


@router.get("/listings/{listing_id}/access", response_model=Page[AccessOut])
async def list_access(
    listing_id: UUID, page: Paging, seller: Seller, session: Session
) -> dict[str, Any]:
    await service.own(session, listing_id, seller_id=_selling(seller))
    items, cursor, total = await access.of_listing(session, listing_id, page)
    return {"items": items, "next_cursor": cursor, "total": total}


@router.post("/listings/{listing_id}/access/{access_id}", response_model=AccessOut)
async def decide_access(
    listing_id: UUID, access_id: UUID, body: AccessDecisionIn, seller: Seller, session: Session
) -> Any:
    """사용 자격을 주거나 거둡니다."""
    await service.own(session, listing_id, seller_id=_selling(seller))
    return await access.decide(
        session,
        listing_id,
        access_id,
        state="granted" if body.decision == "grant" else "revoked",
        valid_until=body.valid_until,
        by=seller.sub,
        now=utc_now(),
    )


async def _shown(session: AsyncSession, listing: Listing, response: Response) -> ListingOut:
    await session.flush()
    await session.refresh(listing)
    tag(response, listing.version)
    columns = {column.key: getattr(listing, column.key) for column in Listing.__table__.columns}
    return ListingOut.model_validate(
        columns
        | {
            "mileage_max_per_unit": mileage_cap(listing.price_won),
            "cancellation": CancellationOut(
                free_until_hours=listing.free_cancel_hours,
                late_fee_percent=listing.late_fee_percent,
                no_show_fee_percent=listing.no_show_fee_percent,
            ),
            "photos": [
                PhotoOut.model_validate(photo)
                for photo in await service.photos(session, listing.id)
            ],
        }
    )


def _values(body: ListingIn) -> dict[str, Any]:
    return body.model_dump() | {"calendar": body.calendar.model_dump(mode="json")}


def _selling(claims: Claims) -> UUID:
    actor = actor_of(claims)
    if actor.party is not Party.SELLER or actor.institution_id is None:
        raise PermissionDenied
    return actor.institution_id


def _managing(claims: Claims) -> UUID | None:
    """Whose listings the caller manages: None for the operator, who sees everyone's."""
    return None if actor_of(claims).party is Party.OPERATOR else _selling(claims)


def _window(start: datetime, end: datetime, *, now: datetime) -> tuple[datetime, datetime]:
    """At most `AVAILABILITY_DAYS` from the start, which lies within two years of today."""
    if abs(start - now) > timedelta(days=AVAILABILITY_YEARS * 366):
        raise Invalid(errors=[errors.WINDOW_RANGE.at("?start", field="start")])
    return start, min(end, start + timedelta(days=AVAILABILITY_DAYS))


def _periods(periods: Any) -> list[PeriodOut]:
    return [PeriodOut(starts_at=start, ends_at=end) for start, end in periods]
