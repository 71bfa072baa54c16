"""Pure rules about accounts: roles, login ids, passwords, waiting after wrong ones."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network, ip_address
from uuid import UUID

from services.auth.errors import (
    PW_CLASS,
    PW_COMMON,
    PW_CONTAINS_ID,
    PW_LENGTH,
    PW_MISMATCH,
)
from shared.problems import Finding


class Role(StrEnum):
    OPERATOR = "operator"
    REVIEWER = "reviewer"
    UNIVERSITY = "university"
    SUB_ACCOUNT = "sub_account"
    COMPANY = "company"
    AGENCY_OFFICER = "agency_officer"
    EVALUATOR = "evaluator"
    AUDITOR = "auditor"
    OBSERVER = "observer"


class Status(StrEnum):
    """A removed account keeps its row and its login id: neither is ever given to someone else."""

    ACTIVE = "active"
    DISABLED = "disabled"
    REMOVED = "removed"


class Field(StrEnum):
    """The seven accrual fields a sub-account may be given (M-006, M-030)."""

    PRACTICE = "PRACTICE"
    CURRICULUM = "CURRICULUM"
    HIRING = "HIRING"
    RESEARCH = "RESEARCH"
    TECH_TRANSFER = "TECH_TRANSFER"
    EQUIPMENT = "EQUIPMENT"
    SCHOLARSHIP = "SCHOLARSHIP"


class FieldChange(StrEnum):
    """What can happen to a field permission: given, switched, taken away."""

    ADDED = "added"
    ON = "on"
    OFF = "off"
    REMOVED = "removed"


class ResetChannel(StrEnum):
    """Where a forgotten password can be sent (M-004)."""

    EMAIL = "email"
    SMS = "sms"


class OneTime(StrEnum):
    """Credentials that lead to choosing a password, and end with it."""

    LINK = "link"
    PASSWORD = "password"  # noqa: S105  # a kind, no password
    INITIAL = "initial"  # the login id as the password (M-001): until it expires, not only once


class PasskeyUse(StrEnum):
    """What a passkey is asked for; a challenge for one is good for no other."""

    REGISTRATION = "registration"
    SIGN_IN = "sign_in"
    SECOND_FACTOR = "second_factor"


PASSWORD_CHANGE = "password:change"  # noqa: S105  # a scope, no password
SECOND_FACTOR_ENROL = "second-factor:enrol"
OWN_ACCOUNT = "account:self"
MANAGE_ACCOUNTS = "accounts:manage"
ADMINISTER_ACCOUNTS = "accounts:admin"

SCOPES: dict[Role, tuple[str, ...]] = {
    Role.OPERATOR: (
        ADMINISTER_ACCOUNTS,
        "institutions:admin",
        "accrual:read",
        "accrual:review",
        "ledger:read",
        "ledger:adjust",
        "exchange:read",
        "exchange:admin",
        "grants:read",
    ),
    Role.REVIEWER: (
        "accrual:read",
        "accrual:review",
        "ledger:read",
        "exchange:read",
        "grants:read",
    ),
    Role.UNIVERSITY: (
        MANAGE_ACCOUNTS,
        "accrual:read",
        "accrual:apply",
        "ledger:read",
        "exchange:read",
        "exchange:sell",
        "grants:read",
        "grants:apply",
    ),
    Role.SUB_ACCOUNT: ("accrual:read", "accrual:apply", "ledger:read", "exchange:read"),
    Role.COMPANY: (MANAGE_ACCOUNTS, "ledger:read", "exchange:read", "exchange:buy", "grants:read"),
    Role.AGENCY_OFFICER: ("grants:read", "grants:manage"),
    Role.EVALUATOR: ("grants:read", "grants:evaluate"),
    Role.AUDITOR: ("grants:read", "grants:settle"),
    Role.OBSERVER: ("accrual:read", "ledger:read", "grants:read"),
}


def scopes_of(role: Role, *, lead: bool) -> tuple[str, ...]:
    """What an account may do. Staff under a lead account manage nobody else (M-006)."""
    granted = SCOPES[role] if lead else [s for s in SCOPES[role] if s != MANAGE_ACCOUNTS]
    return (PASSWORD_CHANGE, OWN_ACCOUNT, *granted)


def id_in(subject: str | None) -> UUID | None:
    """The id in the subject or session of a token; clients have names instead."""
    try:
        return UUID(subject or "")
    except ValueError:
        return None


# --- login ids --------------------------------------------------------------------------------

_LOGIN_ID = re.compile(r"[a-z][a-z0-9_]{2,31}")
_BRN_ID = re.compile(r"([0-9]{3})-?([0-9]{2})-?([0-9]{5})")


def login_id_of(text: str) -> str:
    """A typed login id as it is stored: small letters; a business number without hyphens. What no
    database can hold becomes a character that no id has."""
    folded = unicodedata.normalize("NFKC", text).strip().casefold().replace("\x00", "\ufffd")
    return _BRN_ID.sub(r"\1\2\3", folded) if _BRN_ID.fullmatch(folded) else folded


def is_login_id(text: str) -> bool:
    return _LOGIN_ID.fullmatch(text) is not None


# --- M-003 passwords --------------------------------------------------------------------------

MIN_PASSWORD, MAX_PASSWORD = 10, 20
MAX_TYPED_PASSWORD = 1_000  # what we are willing to look at at all
# The usual suspects that would pass the character classes, without digits and signs at the ends.
# fmt: off
_COMMON = {
    "password", "passw0rd", "p@ssword", "p@ssw0rd", "qwerty", "qwertyuiop", "qwer", "asdf",
    "asdfasdf", "asdfgh", "zxcvbn", "1q2w3e4r", "1q2w3e4r5t", "q1w2e3r4", "qwer1234", "asdf1234",
    "abcd1234", "abc123", "iloveyou", "welcome", "admin", "administrator", "letmein", "changeme",
    "secret", "mileage", "sanhak", "test", "tester",
}
# fmt: on
_EDGE = "0123456789!@#$%^&*()-_=+.,?~"


def typed_password(text: str) -> str:
    """One writing for the same characters: a password typed on another system still matches."""
    return unicodedata.normalize("NFKC", text)


def password_findings(password: str, confirm: str, login_id: str) -> list[Finding]:
    """Everything wrong with a new password, all at once (M-003).

    "아이디와 동일하게 들어가면 안됨" is read as: it must not *contain* the id, in any case.
    """
    password, confirm = typed_password(password), typed_password(confirm)
    found: list[Finding] = []
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        found.append(
            PW_LENGTH.at(
                "/new_password", field="new_password", least=MIN_PASSWORD, most=MAX_PASSWORD
            )
        )
    if not _has_all_classes(password):
        found.append(PW_CLASS.at("/new_password", field="new_password"))
    if login_id and login_id.casefold() in password.casefold():
        found.append(PW_CONTAINS_ID.at("/new_password", field="new_password"))
    if password.casefold().strip(_EDGE) in _COMMON or password.casefold() in _COMMON:
        found.append(PW_COMMON.at("/new_password", field="new_password"))
    if password != confirm:
        found.append(PW_MISMATCH.at("/confirm_password", field="confirm_password"))
    return found


def _has_all_classes(password: str) -> bool:
    letter = any("a" <= char <= "z" for char in password.lower())
    digit = any("0" <= char <= "9" for char in password)
    special = any(unicodedata.category(char)[0] in "PS" for char in password)
    blank = any(char.isspace() or unicodedata.category(char)[0] in "CZ" for char in password)
    return letter and digit and special and not blank


# --- waiting after wrong passwords ------------------------------------------------------------
# Attempts are counted for an account *and the place they come from*, so that whoever guesses
# slows down himself and not the right user elsewhere. All places together have a wide limit too,
# against guessing from thousands of addresses; a device that logged in before does not share it.


@dataclass(frozen=True, slots=True)
class Patience:
    """So many misses are free; from the last of them on one waits, ever longer, the last of the
    `waits` for good. `throttle.py` looks it up in the database."""

    free: int
    waits: tuple[timedelta, ...]


PATIENCE = Patience(5, tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15)))
"""With one place."""

PATIENCE_EVERYWHERE = Patience(100, (timedelta(minutes=1),))
"""With all unknown places together: one attempt a minute remains, so the right user is never shut
out for good."""

FORGOTTEN_AFTER = timedelta(hours=24)


def place_of(address: str | None) -> str:
    """What counts as one place: an IPv4 address, or the /64 an IPv6 host chooses from freely."""
    if address is None:
        return "unknown"
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address


# --- M-006 accounts under a lead ---------------------------------------------------------------

_SUFFIX = re.compile(r"_?[a-z0-9]+")
MAX_LOGIN_ID = 32

ROLES_OF_KIND: dict[str, tuple[Role, ...]] = {
    "university": (Role.UNIVERSITY,),
    "iacf": (Role.UNIVERSITY,),
    "company": (Role.COMPANY,),
    "agency": (Role.AGENCY_OFFICER, Role.EVALUATOR, Role.AUDITOR),
    # The operator runs the certification of excellent institutions (M-061) as an agency runs a
    # call: with officers of its own, and the members of its committee.
    "operator": (Role.OPERATOR, Role.REVIEWER, Role.AGENCY_OFFICER, Role.EVALUATOR),
    "ministry": (Role.OBSERVER,),
}
"""Which roles the operator may give to accounts of an institution, by its kind."""

OPERATING_ROLES = (Role.OPERATOR, Role.REVIEWER)
"""Those who decide about others: an installation may demand a second factor of them."""

STAFF_ROLE = {Role.UNIVERSITY: Role.SUB_ACCOUNT, Role.COMPANY: Role.COMPANY}
"""What the accounts under a lead account are."""


def is_staff_id(login_id: str, parent: str) -> bool:
    """Whether an id is derived from its parent's: `korea_01`, `korea1`, `korea_abc` (M-006)."""
    suffix = login_id.removeprefix(parent)
    fits = len(login_id) <= MAX_LOGIN_ID and login_id.startswith(parent)
    return fits and _SUFFIX.fullmatch(suffix) is not None


def field_changes(
    before: Mapping[str, bool], after: Mapping[str, bool]
) -> list[tuple[str, FieldChange]]:
    """What has to be done to get from one set of field permissions to another, by field."""
    changes: list[tuple[str, FieldChange]] = []
    for field in sorted({*before, *after}):
        if field not in after:
            changes.append((field, FieldChange.REMOVED))
        elif field not in before:
            changes.append((field, FieldChange.ADDED))
            if not after[field]:
                changes.append((field, FieldChange.OFF))
        elif before[field] != after[field]:
            changes.append((field, FieldChange.ON if after[field] else FieldChange.OFF))
    return changes
