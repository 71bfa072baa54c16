"""What the routes share: the party a token makes its bearer, the clients of a process."""

from typing import Annotated

from fastapi import Depends, Request

from services.exchange.clients import Ledger
from services.exchange.institutions import Institutions
from services.exchange.parties import Actor, Party
from services.exchange.settings import Settings
from shared.caller import institution_of, requires
from shared.files import Files
from shared.problems import PermissionDenied
from shared.tokens import Claims

SELLER_KINDS = frozenset({"university", "iacf"})

Reader = Annotated[Claims, Depends(requires("exchange:read"))]
Seller = Annotated[Claims, Depends(requires("exchange:sell"))]
Buyer = Annotated[Claims, Depends(requires("exchange:buy"))]
Operator = Annotated[Claims, Depends(requires("exchange:admin"))]
BuyerOrSeller = Annotated[Claims, Depends(requires("exchange:buy", "exchange:sell"))]
SellerOrOperator = Annotated[Claims, Depends(requires("exchange:sell", "exchange:admin"))]
AnyParty = Annotated[Claims, Depends(requires("exchange:buy", "exchange:sell", "exchange:admin"))]


def actor_of(claims: Claims) -> Actor:
    """Companies buy, universities and their 산학협력단 sell, the operator watches over all.

    Raises `PermissionDenied` for everyone else: nobody is both sides of a trade (M-042).
    """
    if "exchange:admin" in claims.scope:
        return Actor(Party.OPERATOR, claims.sub, None)
    if claims.institution_kind == "company":
        return Actor(Party.BUYER, claims.sub, institution_of(claims))
    if claims.institution_kind in SELLER_KINDS:
        return Actor(Party.SELLER, claims.sub, institution_of(claims))
    raise PermissionDenied


async def _ledger(request: Request) -> Ledger:
    ledger: Ledger = request.app.state.ledger
    return ledger


async def _institutions(request: Request) -> Institutions:
    institutions: Institutions = request.app.state.institutions
    return institutions


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.runtime.settings
    return settings


async def _files(request: Request) -> Files:
    files: Files = request.app.state.files
    return files


FileStore = Annotated[Files, Depends(_files)]
LedgerClient = Annotated[Ledger, Depends(_ledger)]
KnownInstitutions = Annotated[Institutions, Depends(_institutions)]
ServiceSettings = Annotated[Settings, Depends(_settings)]
