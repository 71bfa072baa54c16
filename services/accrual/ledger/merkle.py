"""A tree of hashes, so that one leaf can be proven without showing the others (RFC 9162). Pure.

A proof is the list of hashes beside the way from the leaf to the root, from the leaf up.
"""

import hashlib
from collections.abc import Sequence


def leaf(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of all of them, in their order."""
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0] if level else hashlib.sha256().digest()


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    level, found = list(leaves), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            found.append(level[beside])
        level, index = _above(level), index // 2
    return found


def root_of_proof(one: bytes, index: int, size: int, hashes: Sequence[bytes]) -> bytes:
    """The root of a tree of `size` leaves in which this is the one at `index`, if the proof is
    right. Raises `ValueError` for a proof of another length."""
    remaining = list(hashes)
    while size > 1:
        if index ^ 1 < size:
            if not remaining:
                raise ValueError("the proof is too short")
            beside = remaining.pop(0)
            one = _node(beside, one) if index & 1 else _node(one, beside)
        index, size = index // 2, (size + 1) // 2
    if remaining:
        raise ValueError("the proof is too long")
    return one


def _above(level: Sequence[bytes]) -> list[bytes]:
    """The level above; a last one without a partner moves up as it is."""
    pairs = [_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
