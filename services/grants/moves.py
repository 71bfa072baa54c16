"""Applies a table of moves: what an action leads to from a state."""

from collections.abc import Mapping

from shared.problems import StateConflict

Moves = Mapping[tuple[str, str], str]


def next_state(moves: Moves, names: Mapping[str, str], state: str, action: str) -> str:
    """The state after an action. Raises `StateConflict` with the state's Korean name."""
    target = moves.get((state, action))
    if target is None:
        raise StateConflict(state=names[state])
    return target
