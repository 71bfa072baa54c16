"""The table of moves, and what an order comes to."""

import itertools

import pytest

from services.exchange.errors import OrderState
from services.exchange.mileage import mileage_cap
from services.exchange.orders.rules import (
    LIVE,
    MOVES,
    Action,
    Settlement,
    Use,
    allowed,
    charge,
    move,
    supply_and_vat,
)
from services.exchange.parties import Party
from shared.problems import PermissionDenied

START = (Use.REQUESTED, Settlement.HOLDING)


def reachable() -> dict[tuple[Use, Settlement], set[Action]]:
    """Every pair of states an order can be in, with the moves that lead on."""
    seen = {START: set()}
    waiting = [START]
    while waiting:
        state = waiting.pop()
        for action, party in itertools.product(MOVES, Party):
            try:
                after = move(action, by=party, use=state[0], settlement=state[1])
            except (PermissionDenied, OrderState):
                continue
            seen[state].add(action)
            if after not in seen:
                seen[after] = set()
                waiting.append(after)
    return seen


def test_from_every_state_the_mileage_comes_to_rest():
    """Nothing is ever stuck: whatever happens, some moves lead to settled, released or refunded."""
    graph = reachable()
    rest = {Settlement.SETTLED, Settlement.RELEASED, Settlement.REFUNDED}
    good = {state for state in graph if state[1] in rest}
    grown = True
    while grown:
        more = {
            state
            for state, actions in graph.items()
            for action in actions
            for party in MOVES[action].by
            if move(action, by=party, use=state[0], settlement=state[1]) in good
        }
        grown = not more <= good
        good |= more
    assert set(graph) == good


def test_points_move_to_the_university_only_from_a_charged_order():
    for use, settlement in reachable():
        if settlement in {Settlement.POSTING, Settlement.SETTLED, Settlement.DISPUTED}:
            assert use in {Use.COMPLETED, Use.CANCELLED, Use.NO_SHOW}


def test_a_live_order_never_has_its_mileage_released():
    for use, settlement in reachable():
        if use in LIVE:
            assert settlement in {Settlement.HOLDING, Settlement.HELD}


def test_rest_is_rest():
    graph = reachable()
    for state, actions in graph.items():
        if state[1] in {Settlement.RELEASED, Settlement.REFUNDED}:
            assert actions <= {Action.RECORD_PAYMENT}


@pytest.mark.parametrize("action", list(MOVES))
def test_every_move_of_the_table_can_happen(action):
    assert any(action in actions for actions in reachable().values())


def test_nobody_makes_the_other_sides_moves():
    buyers = {action for action, rule in MOVES.items() if Party.BUYER in rule.by}
    sellers = {action for action, rule in MOVES.items() if Party.SELLER in rule.by}
    assert buyers & sellers == {Action.DISPUTE, Action.WITHDRAW_DISPUTE}
    with pytest.raises(PermissionDenied):
        move(Action.ACCEPT, by=Party.BUYER, use=Use.REQUESTED, settlement=Settlement.HELD)


def test_an_illegal_move_names_both_states_in_words():
    with pytest.raises(OrderState) as caught:
        move(Action.START, by=Party.SELLER, use=Use.COMPLETED, settlement=Settlement.SETTLED)
    assert caught.value.title("ko") == "'이용완료 · 정산완료' 상태에서는 할 수 없습니다."
    assert caught.value.title("en") == "Not possible in state 'completed · settled'."


def test_screens_are_offered_one_button_where_the_fee_decides():
    shown = allowed(by=Party.BUYER, use=Use.ACCEPTED, settlement=Settlement.HELD)
    assert shown == ["cancel"]


@pytest.mark.parametrize(
    ("charged", "held", "kept"),
    [(2_500_000, 750, 750), (1_000_000, 750, 300), (3_333, 750, 0), (0, 750, 0), (9_000, 2, 2)],
)
def test_a_smaller_charge_keeps_no_more_mileage_than_its_own_cap(charged, held, kept):
    result = charge(fee_won=charged, mileage=held)
    assert result.mileage == kept <= mileage_cap(charged)
    assert result.cash_won == charged - kept * 1_000


@pytest.mark.parametrize("paid", [0, 1, 10, 11, 1_100_000, 1_750_000, 999_999_999])
def test_supply_and_vat_add_up_to_what_was_paid(paid):
    supply, vat = supply_and_vat(paid)
    assert supply + vat == paid
    assert 0 <= supply - vat * 10 <= 10
