"""What a service asks to be sent, and the answer."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from shared.schemas import Body, Schema

MAX_TEXT = 8_000


class LetterIn(Body):
    """`id` is the caller's own: the same letter under the same id is sent once. `account_ids` are
    people of the institution who get it beside its contacts."""

    id: UUID
    institution_id: UUID
    account_ids: Annotated[list[UUID], Field(max_length=20)] = Field(default_factory=list)
    subject: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    text_en: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class LetterOut(Schema):
    """To how many addresses it goes; never to which."""

    recipients: int
