"""STATE moves on only past rows that are settled, however they are."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from target_cirqll.settlement import Settlement


class Naive:
    """The same promise, kept with a list of all that ever came."""

    def __init__(self) -> None:
        self.rows = 0
        self.unsettled: set[int] = set()
        self.offered: list[tuple[int, dict[str, Any]]] = []
        self.given: dict[str, Any] | None = None

    def due(self) -> dict[str, Any] | None:
        first = min(self.unsettled, default=self.rows + 1)
        ready = [state for behind, state in self.offered if behind < first]
        if not ready or ready[-1] == self.given:
            return None
        self.given = ready[-1]
        return self.given


def kept_messages(settlement: Settlement) -> int:
    """Count the STATE messages in memory."""
    kept, stretch = 0, settlement._begin
    while True:
        kept += stretch.state is not None
        stretch = stretch.behind
        if stretch is settlement._begin:
            return kept


def received(*, rows: int) -> Settlement:
    settlement = Settlement()
    for position in range(1, rows + 1):
        settlement.received(position)
    return settlement


def test_a_state_waits_for_the_rows_before_it() -> None:
    settlement = received(rows=2)
    settlement.offer({"a": 1})
    settlement.settled([2])

    while_one_waits = settlement.due()
    settlement.settled([1])

    assert while_one_waits is None
    assert settlement.due() == {"a": 1}


def test_a_state_does_not_wait_for_rows_behind_it() -> None:
    settlement = received(rows=1)
    settlement.offer({"a": 1})
    settlement.received(2)

    settlement.settled([1])

    assert settlement.due() == {"a": 1}


def test_a_state_before_the_first_row_is_due_at_once() -> None:
    settlement = Settlement()
    settlement.offer({})

    assert settlement.due() == {}


def test_a_state_is_given_once() -> None:
    settlement = received(rows=1)
    settlement.settled([1])
    settlement.offer({"a": 1})

    assert [settlement.due(), settlement.due()] == [{"a": 1}, None]


def test_a_state_that_says_nothing_new_is_not_repeated() -> None:
    settlement = Settlement()
    settlement.offer({"a": 1})
    settlement.due()

    settlement.offer({"a": 1})

    assert settlement.due() is None


def test_only_the_newest_of_the_states_that_are_due_is_given() -> None:
    settlement = received(rows=1)
    settlement.offer({"a": 1})
    settlement.received(2)
    settlement.offer({"a": 2})
    settlement.received(3)
    settlement.offer({"a": 3})

    settlement.settled([2, 1])

    assert [settlement.due(), settlement.due()] == [{"a": 2}, None]


def test_a_row_may_be_settled_twice() -> None:
    settlement = received(rows=2)
    settlement.offer({"a": 1})

    settlement.settled([1, 1, 1])

    assert settlement.due() is None


def test_while_one_row_waits_thousands_of_rows_and_states_take_no_memory() -> None:
    # Given
    settlement = received(rows=1)
    # When
    for position in range(2, 50_000):
        settlement.offer({"a": position})
        settlement.received(position)
        settlement.settled([position])
    settlement.offer({"a": 50_000})
    # Then
    assert (kept_messages(settlement), len(settlement._stretch_of)) == (1, 1)
    settlement.settled([1])
    assert settlement.due() == {"a": 50_000}


def test_rows_that_settle_from_the_last_to_the_first_take_no_longer() -> None:
    settlement = Settlement()
    for position in range(100_000):
        settlement.received(position)
        settlement.offer({"a": position})

    settlement.settled(reversed(range(100_000)))

    assert settlement.due() == {"a": 99_999}


STEPS = st.lists(
    st.one_of(
        st.just("row"),
        st.integers(0, 2).map(lambda number: {"a": number}),
        st.just("due"),
        st.floats(0, 0.99),  # settles the row at this place among those that wait
    ),
    max_size=60,
)


@given(STEPS)
def test_it_gives_what_a_list_of_everything_would_give(steps: list[Any]) -> None:
    settlement, naive = Settlement(), Naive()
    for step in [*steps, "due"]:
        match step:
            case "row":
                naive.rows += 1
                naive.unsettled.add(naive.rows)
                settlement.received(naive.rows)
            case dict():
                naive.offered.append((naive.rows, step))
                settlement.offer(step)
            case float() if naive.unsettled:
                position = sorted(naive.unsettled)[int(step * len(naive.unsettled))]
                naive.unsettled.remove(position)
                settlement.settled([position])
            case "due":
                assert settlement.due() == naive.due()
        assert kept_messages(settlement) <= len(naive.unsettled) + 1


@given(st.lists(st.booleans(), max_size=40), st.randoms(use_true_random=False))
def test_when_all_is_settled_the_last_state_has_been_given(
    messages: list[bool], chance: Any
) -> None:
    # Given
    settlement = Settlement()
    rows: list[int] = []
    offered: list[dict[str, Any]] = []
    for is_row in messages:
        if is_row:
            rows.append(len(rows) + 1)
            settlement.received(rows[-1])
        else:
            offered.append({"behind": len(rows), "number": len(offered)})
            settlement.offer(offered[-1])
    # When
    chance.shuffle(rows)
    given_states = [settlement.due()]
    for number, position in enumerate(rows, start=1):
        settlement.settled([position])
        given_states.append(state := settlement.due())
        # Then
        first = min(rows[number:], default=len(rows) + 1)
        assert state is None or state["behind"] < first
    assert [state for state in given_states if state][-1:] == offered[-1:]
