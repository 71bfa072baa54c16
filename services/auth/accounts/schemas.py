"""What the account routes take and give."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from services.auth.accounts import rules
from services.auth.accounts.rules import Role
from services.auth.institutions.schemas import Email, Phone
from shared.schemas import Body, Schema

Typed = Annotated[str, StringConstraints(strip_whitespace=False, max_length=1_000)]
"""A password or code as typed, blanks included: the findings tell about them."""


class PasswordPageOut(Schema):
    """What the password page shows besides its fields (M-002)."""

    login_id: str
    name: str
    institution_name: str
    contact_phone: str | None
    must_change: bool
    min_length: int
    max_length: int


class PasswordBody(Body):
    model_config = ConfigDict(str_strip_whitespace=False)


class PasswordChangeIn(PasswordBody):
    current_password: Typed
    new_password: Typed
    confirm_password: Typed
    contact_phone: Phone | None = Field(default=None, description="대표 연락처")


class LinkIn(Body):
    token: str = Field(max_length=100)


class LinkOut(Schema):
    login_id: str
    institution_name: str
    contact_required: bool
    expires_at: datetime


class ActivationIn(PasswordBody):
    token: str = Field(max_length=100)
    new_password: Typed
    confirm_password: Typed
    contact_phone: Phone | None = None


class ActivatedOut(Schema):
    login_id: str


class ResetRequestIn(Body):
    """`contact` is the mail address or the mobile number the person believes is registered."""

    login_id: str = Field(min_length=1, max_length=100)
    channel: rules.ResetChannel
    contact: str = Field(min_length=1, max_length=254)


class NeutralOut(Schema):
    message: str


class PersonIn(Body):
    name: str = Field(min_length=1, max_length=50, description="담당자명")
    department: str | None = Field(default=None, max_length=100)
    phone: Phone | None = None
    mobile: Phone | None = None
    email: Email | None = None


class OwnChangeIn(PersonIn):
    """`current_password` is needed when the mail address or the mobile number changes."""

    current_password: Typed | None = None


class OwnOut(Schema):
    """The caller's own account, with what the menus need to know (M-007)."""

    id: UUID
    login_id: str
    role: str
    is_lead: bool
    name: str
    department: str | None
    phone: str | None
    mobile: str | None
    email: str | None
    institution_id: UUID
    institution_name: str
    institution_kind: str
    fields: list[str] | None
    scopes: list[str]
    second_factor: bool
    password_changed_at: datetime | None
    version: int


class PasskeyAskIn(Body):
    use: Literal["sign_in", "second_factor"] = Field(
        description="비밀번호 없이(sign_in), 또는 비밀번호에 더하여(second_factor)"
    )


class PasskeyIn(Body):
    """`credential`: what `navigator.credentials.create()` answered, as its `toJSON()` writes it."""

    name: str = Field(min_length=1, max_length=50, examples=["사무실 노트북"])
    credential: dict[str, Any]


class PasskeyOut(Schema):
    """`synced`: it lives in a key ring that is copied between devices."""

    id: UUID
    name: str
    synced: bool
    created_at: datetime
    last_used_at: datetime | None


class PasskeyRegisteredOut(Schema):
    """`recovery_codes` come with the first second factor, and are shown this once."""

    passkey: PasskeyOut
    recovery_codes: list[str] | None


class LoginIdIn(Body):
    login_id: str = Field(min_length=1, max_length=100)


class LoginIdOut(Schema):
    """`message` tells why an id cannot be had; `proof` goes with the registration."""

    login_id: str
    available: bool
    code: str | None
    message: str | None
    proof: str | None


class GrantIn(Body):
    field: rules.Field
    enabled: bool


class FieldsIn(Body):
    fields: list[GrantIn] = Field(max_length=20)


class StaffIn(PersonIn):
    login_id: str = Field(min_length=1, max_length=100)
    proof: str | None = Field(default=None, max_length=64, description="중복검사 결과")
    fields: list[GrantIn] = Field(default=[], max_length=20)


class LeadIn(PersonIn):
    login_id: str = Field(min_length=1, max_length=100)
    role: Role


class GrantOut(Schema):
    field: str
    enabled: bool


class AccountOut(Schema):
    """One account as its manager sees it. For the operator contacts are masked here; the full
    view asks for a purpose and is put on record."""

    id: UUID
    login_id: str
    role: str
    status: str
    institution_id: UUID
    parent_id: UUID | None
    name: str
    department: str | None
    phone: str | None
    mobile: str | None
    email: str | None
    fields: list[GrantOut]
    activated: bool
    second_factor: bool
    last_login_at: datetime | None
    created_at: datetime
    version: int


class AccountLineOut(Schema):
    """One line of a list: name masked, contacts left out."""

    id: UUID
    login_id: str
    role: str
    status: str
    institution_id: UUID
    name: str
    department: str | None
    activated: bool
    last_login_at: datetime | None


class EvaluatorOut(Schema):
    """Whom an agency may ask to judge. The name in full: it stands on the sheet."""

    id: UUID
    name: str
    department: str | None


class CredentialOut(Schema):
    """How a new account is entered. `link` is shown this once; `sent_to` is where it was mailed,
    masked. Without a link the first password is the id itself (an installation's choice)."""

    login_id: str
    link: str | None
    expires_at: datetime | None
    sent_to: str | None
    password_is_login_id: bool


class OpenedOut(Schema):
    account: AccountOut
    credential: CredentialOut


class FieldEventOut(Schema):
    field: str
    change: str
    changed_by: str
    at: datetime


class PersonOut(Schema):
    name: str
    department: str | None
    phone: str | None
    mobile: str | None
    email: str | None


class OwnerIn(PasswordBody):
    current_password: Typed


class CodeIn(PasswordBody):
    code: str = Field(max_length=20)


class EnrolmentOut(Schema):
    """For an authenticator app: typed in, or as a QR code of `uri`."""

    secret: str
    uri: str


class RecoveryCodesOut(Schema):
    recovery_codes: list[str]
