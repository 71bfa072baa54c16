"""Pure rules of the boards (M-054): who sees what."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Board(StrEnum):
    NOTICE = "notice"  # 공지사항
    LIBRARY = "library"  # 자료실


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a post is for. `public`: everyone, without login. Otherwise members: all of them, or
    only institutions of these kinds and these single institutions."""

    public: bool
    kinds: Collection[str]
    institution_ids: Collection[UUID]


def sees(audience: Audience, *, kind: str | None, institution_id: UUID | None) -> bool:
    """Whether a member of this institution (None: somebody without login) may read the post."""
    if audience.public:
        return True
    if kind is None or institution_id is None:
        return False
    everyone = not audience.kinds and not audience.institution_ids
    return everyone or kind in audience.kinds or institution_id in audience.institution_ids
