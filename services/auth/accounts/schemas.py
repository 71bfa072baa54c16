"""What the account routes take and give."""

from pydantic import ConfigDict, Field

from shared.schemas import Body, Schema


class PasswordPageOut(Schema):
    """What the password page shows besides its fields (M-002)."""

    login_id: str
    name: str
    institution_name: str
    contact_phone: str | None
    must_change: bool
    min_length: int
    max_length: int


class PasswordChangeIn(Body):
    """Passwords are taken as typed, blanks included: the findings tell about them."""

    model_config = ConfigDict(str_strip_whitespace=False)

    current_password: str = Field(max_length=1_000)
    new_password: str = Field(max_length=1_000)
    confirm_password: str = Field(max_length=1_000)
    contact_phone: str | None = Field(
        default=None, pattern=r"^[0-9][0-9-]{6,18}$", description="대표 연락처"
    )
