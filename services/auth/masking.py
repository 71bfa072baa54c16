"""Personal data on lists: enough to see who is meant, and no more (A7)."""


def masked_name(name: str) -> str:
    """홍길동 → 홍*동; of two letters the first stays."""
    if len(name) <= 2:
        return name[:1] + "*" * (len(name) - 1)
    return name[0] + "*" * (len(name) - 2) + name[-1]


def masked_phone(phone: str | None) -> str | None:
    """The last four digits and the first three stay."""
    if phone is None:
        return None
    digits = [place for place, char in enumerate(phone) if char.isdigit()]
    hidden = set(digits[3:-4])
    return "".join("*" if place in hidden else char for place, char in enumerate(phone))


def masked_email(email: str | None) -> str | None:
    """ho***@example.ac.kr"""
    if email is None:
        return None
    local, at, domain = email.partition("@")
    return local[:2] + "***" + at + domain
