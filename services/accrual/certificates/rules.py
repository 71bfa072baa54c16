"""Numbers, validity and wording of certificates. Pure.

A *verification number* is 16 random characters and a check character, shown as
`ABCD-EFGH-JKMN-PQRS-T`. Whoever verifies also gives a *second key*: the institution's business
registration number, or the confirmation code printed where it has none (M-052).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from services.accrual.certificates import errors
from shared.problems import Finding, Invalid

VALID_DAYS: Final = 90
RANDOM_BYTES: Final = 10
KEY_BYTES: Final = 5
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O, U: read aloud and typed
_VALUES: Final = {char: value for value, char in enumerate(ALPHABET)}
_READ_AS: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
SPENDING: Final = "활용·이전·조정"
"""The line of a certificate for what belongs to no accrual field."""


class Result(StrEnum):
    """What verification answers."""

    GENUINE = "genuine"
    EXPIRED = "expired"
    REVOKED = "revoked"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Part:
    """Points of one accrual field; `field` None: spending, transfers and adjustments."""

    field: str | None
    name: str
    points: int


def base32(random: bytes) -> str:
    """Five bits to a character; whole groups of five bytes."""
    number = int.from_bytes(random)
    count = len(random) * 8 // 5
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(count)))


def verification_number(random: bytes) -> str:
    """The number made of `RANDOM_BYTES` random bytes, with its check character."""
    body = base32(random)
    return body + ALPHABET[_doubled(_syndrome(body))]


def parse_number(entered: str) -> str:
    """A verification number as people type it: any case, spaces, hyphens, O for 0, I and L for 1.

    Raises `Invalid` (NUMBER_MISTYPED): one wrong character or two swapped ones never pass.
    """
    number = re.sub(r"[\s-]", "", entered).upper().translate(_READ_AS)
    well_formed = len(number) == RANDOM_BYTES * 8 // 5 + 1 and set(number) <= set(ALPHABET)
    if not well_formed or _syndrome(number) != 0:
        raise Invalid(errors=[errors.NUMBER_MISTYPED.at("?number", field="number")])
    return number


def show_number(number: str) -> str:
    return "-".join(number[start : start + 4] for start in range(0, len(number), 4))


def parse_key(entered: str) -> str:
    """A second key as people type it: 104-82-03590, or a code in any case."""
    key = re.sub(r"[\s-]", "", entered).upper()
    return key if key.isdecimal() else key.translate(_READ_AS)


def valid_until(issued_on: date) -> date:
    """The last day of the period; the day of issue is not counted."""
    return issued_on + timedelta(days=VALID_DAYS)


def result(*, revoked: bool, last_day: date, today: date) -> Result:
    if revoked:
        return Result.REVOKED
    return Result.EXPIRED if today > last_day else Result.GENUINE


def check_as_of(as_of: date, today: date) -> None:
    """Raises `Invalid` (AS_OF_FUTURE)."""
    if as_of > today:
        finding = errors.AS_OF_FUTURE.at("/as_of", field="as_of", today=today.isoformat())
        raise Invalid(errors=[finding])


def parts(points: Mapping[str | None, int], names: Mapping[str, str]) -> list[Part]:
    """One line for each accrual field, earned or not, and one for the rest if there is any."""
    known = [Part(code, name, points.get(code, 0)) for code, name in names.items()]
    rest = sum(amount for field, amount in points.items() if field not in names)
    return [*known, Part(None, SPENDING, rest)] if rest else known


def glyph_findings(texts: Mapping[str, str], known: frozenset[int]) -> list[Finding]:
    """One finding for every character, by the pointer of its text, that the fonts cannot draw."""
    return [
        errors.GLYPH_MISSING.at(
            pointer,
            field=pointer.rsplit("/", 1)[-1],
            char=char,
            code_point=f"U+{ord(char):04X}",
        )
        for pointer, value in texts.items()
        for char in _once(value)
        if ord(char) not in known
    ]


def masked_name(name: str) -> str:
    """Enough for who holds the paper to compare, not enough to learn who it is: 한국**교."""
    shown = 2 if len(name) > 4 else 1
    return name[:shown] + "*" * max(len(name) - shown - 1, 1) + name[-1:]


def show_brn(brn: str) -> str:
    return f"{brn[:3]}-{brn[3:5]}-{brn[5:]}"


def masked_brn(brn: str) -> str:
    return f"{brn[:3]}-{brn[3:5]}-*****"


def show_day(day: date) -> str:
    return f"{day.year}년 {day.month}월 {day.day}일"


def look(document: Mapping[str, Any], *, key: str | None, url: str) -> dict[str, Any]:
    """What a reader of the page needs beyond the document: dates and numbers as people write them.

    `key` is the confirmation code, for an institution without a business registration number.
    """
    institution = document["institution"]
    second = "사업자등록번호" if key is None else "확인코드"
    last_day = show_day(date.fromisoformat(document["valid_until"]))
    return {
        "title": f"산학협력 마일리지 확인서 {document['number']}",
        "description": f"{institution['name']}의 산학협력 마일리지 확인서",
        "notice": f"이 확인서는 발급일로부터 {VALID_DAYS}일({last_day}까지) 동안 유효합니다.",
        "brn": None if institution["brn"] is None else show_brn(institution["brn"]),
        "key": key,
        "as_of": show_day(date.fromisoformat(document["as_of"])),
        "issued_on": show_day(date.fromisoformat(document["issued_on"])),
        "seal": document["issuer"].replace(" ", "") + "인",
        "url": url,
        "how": f"문서확인번호와 {second}로 진위를 확인하거나, 이 파일을 원본과 대조할 수 있습니다.",
    }


def _syndrome(number: str) -> int:
    """The number as a polynomial over GF(32), at a primitive element: 0 with its check character.

    The powers of the element differ at all 17 places, so that no single error and no exchange of
    two characters, wherever they stand, leaves it 0.
    """
    value = 0
    for char in number:
        value = _doubled(value) ^ _VALUES[char]
    return value


def _doubled(value: int) -> int:
    value <<= 1
    return value ^ 0b100101 if value & 32 else value


def _once(value: str) -> Iterable[str]:
    return dict.fromkeys(value)
