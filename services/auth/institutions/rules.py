"""Pure rules about institutions: their kinds, business numbers, names."""

import re
import unicodedata
from enum import StrEnum

from services.auth.errors import BRN_CHECKSUM, BRN_COMPONENT, BRN_LENGTH
from shared.brn import flaw as brn_flaw
from shared.problems import FindingKind


class Kind(StrEnum):
    """What an institution is. An `iacf` is the 산학협력단 of a university."""

    UNIVERSITY = "university"
    IACF = "iacf"
    COMPANY = "company"
    AGENCY = "agency"
    OPERATOR = "operator"
    MINISTRY = "ministry"


class Status(StrEnum):
    """`dormant` (휴업) and `closed` (폐업) come from the business registry; `suspended` is the
    operator's act and closes the institution's accounts."""

    ACTIVE = "active"
    DORMANT = "dormant"
    CLOSED = "closed"
    SUSPENDED = "suspended"


ACADEMIC = frozenset({Kind.UNIVERSITY, Kind.IACF})


def may_become(before: str, after: str) -> bool:
    """Whether an entry's kind may be corrected: its accounts have the roles of what it was."""
    return before == after or {before, after} <= ACADEMIC


_HYPHENATED = re.compile(r"([0-9]{3})-([0-9]{2})-([0-9]{5})")


_FLAWS = {"length": BRN_LENGTH, "component": BRN_COMPONENT, "checksum": BRN_CHECKSUM}


def brn_finding(brn: str) -> FindingKind | None:
    """What is wrong with a business registration number, or None (M-013)."""
    flaw = brn_flaw(brn)
    return _FLAWS[flaw] if flaw else None


def plain_brn(text: str) -> str:
    """`104-82-03590` as `1048203590`; anything else as it came."""
    return _HYPHENATED.sub(r"\1\2\3", text.strip())


def clean_text(text: str) -> str:
    """Composed Hangul (NFC), single spaces, nothing invisible."""
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if char.isspace() else char for char in composed)
    return " ".join(
        "".join(char for char in visible if unicodedata.category(char)[0] != "C").split()
    )


PHONE = r"^[0-9+][0-9-]{6,18}$"
EMAIL = r"^[^@\s,;<>]{1,64}@[^@\s,;<>]+\.[^@\s,;<>]+$"
POSTCODE = r"^[0-9]{5}$"

_LEGAL_FORMS = re.compile(r"주식회사|유한회사|유한책임회사|합자회사|합명회사|\(주\)|\(유\)|㈜")


def plain_company_name(name: str) -> str:
    """A company's name for comparing: without legal form, blanks and case. `(주)한마루 정밀`,
    `한마루정밀 주식회사` and `㈜한마루정밀` are the same company's."""
    composed = unicodedata.normalize("NFC", name)
    return "".join(_LEGAL_FORMS.sub("", composed).split()).casefold()


def shown_name(given: str, registered: str) -> str:
    """입력기업명 (상세기업명), as the registry shows it (S1:579)."""
    return given if given == registered else f"{given} ({registered})"


def homepage_label(homepage: str) -> str:
    """The id an institution got by the old convention: `www.korea.ac.kr` → `korea` (S1:146)."""
    host = re.sub(r"^[a-z]+://", "", homepage.strip().casefold()).partition("/")[0]
    return host.removeprefix("www.").partition(".")[0]
