"""What the routes of partner systems take and give."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from services.auth.clients.rules import LONGEST_OVERLAP_HOURS, OVERLAP_HOURS
from shared.schemas import Body, Schema


class TermsIn(Body):
    """`addresses`: the IP addresses or networks the system may come from; empty: any."""

    name: str = Field(min_length=1, max_length=100)
    scopes: list[str] = Field(min_length=1, max_length=20, examples=[["accrual:push"]])
    addresses: list[str] = Field(default=[], max_length=50, examples=[["203.0.113.0/28"]])


class ClientIn(TermsIn):
    """`institution_id` is for the operator; a lead registers for the own institution."""

    institution_id: UUID | None = None
    test_mode: bool = False


class SecretOut(Schema):
    """A secret by its last characters; the secret itself was shown once."""

    id: UUID
    hint: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class ClientOut(Schema):
    id: str
    name: str
    institution_id: UUID
    scopes: list[str]
    addresses: list[str]
    test_mode: bool
    enabled: bool
    created_at: datetime
    version: int


class ClientDetailOut(ClientOut):
    secrets: list[SecretOut]


class NewSecretOut(Schema):
    """`client_secret` is shown this once."""

    client_id: str
    client_secret: str
    secret: SecretOut


class RegisteredOut(Schema):
    client: ClientOut
    secret: NewSecretOut


class RenewIn(Body):
    overlap_hours: int = Field(default=OVERLAP_HOURS, ge=0, le=LONGEST_OVERLAP_HOURS)
