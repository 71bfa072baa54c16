"""사업자등록번호, the number by which the state knows a business: ten digits, the last one a check.

Like a bank's IBAN it is a public standard, and three services have to tell a mistyped one.
"""

from typing import Literal

Flaw = Literal["length", "component", "checksum"]

_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)


def flaw(number: str) -> Flaw | None:
    """What is wrong with a number, or None. Other digits than ASCII's are none."""
    if not (len(number) == 10 and number.isascii() and number.isdigit()):
        return "length"
    # Office codes start at 101; the kind is never 00, the serial never 0000. All zeros add up.
    if number < "101" or number[3:5] == "00" or number[5:9] == "0000":
        return "component"
    return None if check_digit(number[:9]) == number[9] else "checksum"


def check_digit(first_nine: str) -> str:
    """Weights 1,3,7,1,3,7,1,3,5, plus the tens of five times the ninth digit."""
    weighted = sum(int(d) * w for d, w in zip(first_nine, _WEIGHTS, strict=True))
    return str(-(weighted + int(first_nine[8]) * 5 // 10) % 10)
