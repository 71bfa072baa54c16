"""Accounts: who may log in, for which institution, with which permissions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    LargeBinary,
    String,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from services.auth.accounts.rules import Field, FieldChange, OneTime, PasskeyUse, Role, Status
from services.auth.base import Base
from shared.db import HasId, HasTimes, one_of


class Account(HasId, HasTimes, Base):
    """One login. `parent_id` is the lead account of staff and sub-accounts (M-006).

    `pv`, the permission version, goes into every token; raising it makes older tokens invalid.
    `password` is `<pepper id>:<argon2id hash>`, or null until the activation link was used.
    """

    __tablename__ = "account"

    login_id: Mapped[str] = mapped_column(String(32), unique=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), index=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), server_default=Status.ACTIVE)
    name: Mapped[str] = mapped_column(String(50))
    department: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(20))
    mobile: Mapped[str | None] = mapped_column(String(20))
    email: Mapped[str | None] = mapped_column(String(254))

    password: Mapped[str | None] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None]
    must_change_password: Mapped[bool] = mapped_column(server_default=text("true"))
    totp_seed: Mapped[bytes | None] = mapped_column(LargeBinary)  # sealed
    totp_confirmed_at: Mapped[datetime | None]
    totp_last_step: Mapped[int | None] = mapped_column(BigInteger)
    passkeys: Mapped[int] = mapped_column(server_default=text("0"))  # how many rows of `passkey`

    pv: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    last_login_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("role", Role),
        one_of("status", Status),
        CheckConstraint("login_id = lower(login_id)", name="login_id_is_folded"),
        CheckConstraint(
            "role <> 'sub_account' OR parent_id IS NOT NULL", name="sub_account_has_parent"
        ),
    )

    @property
    def is_lead(self) -> bool:
        return self.parent_id is None

    @property
    def has_second_factor(self) -> bool:
        return self.totp_confirmed_at is not None or self.passkeys > 0


class FieldPermission(Base):
    """An accrual field given to a sub-account, switched on or off (M-006)."""

    __tablename__ = "field_permission"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(20), primary_key=True)
    enabled: Mapped[bool]

    __table_args__ = (one_of("field", Field),)


class LoginThrottle(Base):
    """Misses of one (login id, place), or of one login id from anywhere. Ids that do not exist
    are counted just the same, so that waiting tells nothing. `key` is a MAC: no personal data."""

    __tablename__ = "login_throttle"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    next_try_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class FieldPermissionEvent(HasId, Base):
    """What happened to a field permission, append-only: after a removal the parent still sees
    what its sub-account could do, and when (M-006)."""

    __tablename__ = "field_permission_event"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    field: Mapped[str] = mapped_column(String(20))
    change: Mapped[str] = mapped_column(String(10))
    changed_by: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        one_of("field", Field),
        one_of("change", FieldChange),
    )


class OneTimeCredential(HasId, Base):
    """A link, or a password for choosing one's own. Known by its MAC only."""

    __tablename__ = "one_time_credential"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]

    __table_args__ = (one_of("kind", OneTime),)


class ResetRequest(HasId, Base):
    """Somebody says to have forgotten a password. Looked into by the worker, so that the answer
    takes the same time whoever exists; `content` (id and contact) is sealed and soon gone."""

    __tablename__ = "reset_request"

    content: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class RecoveryCode(Base):
    """Ten codes for the day the phone is lost, each good once."""

    __tablename__ = "recovery_code"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    used_at: Mapped[datetime | None]


class Passkey(HasId, Base):
    """A key that somebody's device holds (WebAuthn). `synced`: it lives in a key ring that is
    copied between devices, and then it does not count its uses."""

    __tablename__ = "passkey"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(String(50))
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    sign_count: Mapped[int] = mapped_column(BigInteger)
    synced: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """What a device is asked to sign; its row is gone with the first answer."""

    __tablename__ = "passkey_challenge"

    challenge: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    use: Mapped[str] = mapped_column(String(20))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (one_of("use", PasskeyUse),)
