"""Rolls of what a pipeline has got: what its state knows is certain, what came later in doubt."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sql
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from cirqll_client.delivered_ids import DeliveredIds, Roll
from cirqll_client.store import DELIVERED_ENTRIES, DELIVERED_ROLLS, Store
from cirqll_client.tally import LARGEST_ID, trackable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 86_400.0
MILLION = 1_000_000

few = st.sets(st.integers(0, 9), max_size=4).map(BitMap64)


@pytest.fixture
def store() -> Iterator[Store]:
    """A store in memory."""
    with closing(Store("sqlite://")) as store:
        yield store


@pytest.fixture
def rolls(store: Store) -> DeliveredIds:
    """The rolls of one account in it."""
    return DeliveredIds(store, account="default")


def found(rolls: DeliveredIds, name: str, *, until: int) -> Roll:
    roll = rolls.roll(name, until=until)
    assert roll is not None
    return roll


def some(*ids: int) -> BitMap64:
    return BitMap64(ids)


def test_a_roll_that_nobody_began_is_not_known(rolls: DeliveredIds) -> None:
    assert rolls.roll("f" * 16, until=0) is None


def test_a_roll_is_as_it_was_begun(rolls: DeliveredIds) -> None:
    begun = Roll(some(1, 2), some(3), some(2), scopes="note.read.all")

    name = rolls.begin("notes", begun)

    assert found(rolls, name, until=0) == begun


def test_what_the_state_knows_is_certain_and_what_came_later_in_doubt(rolls: DeliveredIds) -> None:
    name = rolls.begin("notes", Roll(some(1, 2, 3)))
    known = rolls.enter(name, added=some(4), gone=some(1))
    rolls.enter(name, added=some(5), gone=some(2))

    roll = found(rolls, name, until=known)

    assert roll.ids == some(3, 4)
    assert roll.doubtful == some(2, 5)
    assert roll.known == some(2, 3, 4, 5)


def test_a_doubt_stays_until_it_is_resolved(rolls: DeliveredIds) -> None:
    name = rolls.begin("notes", Roll(some(1, 2)))
    rolls.enter(name, gone=some(1, 2))
    assert found(rolls, name, until=0).doubtful == some(1, 2)

    number = rolls.enter(name, added=some(1), gone=some(2))

    assert found(rolls, name, until=number) == Roll(some(1))


def test_numbers_of_a_lost_state_do_not_come_again(rolls: DeliveredIds) -> None:
    name = rolls.begin("notes", Roll())
    lost = rolls.enter(name, added=some(1))
    found(rolls, name, until=0)

    assert rolls.enter(name, added=some(2)) > lost


def test_two_that_write_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with closing(Store(url)) as store:
        name = DeliveredIds(store, account="default").begin("notes", Roll())

    def enter(first: int) -> list[int]:
        with closing(Store(url)) as own:
            rolls = DeliveredIds(own, account="default")
            return [rolls.enter(name, added=some(first + n)) for n in range(20)]

    with ThreadPoolExecutor(2) as pool:
        numbers = [number for found in pool.map(enter, (0, 100)) for number in found]

    assert sorted(numbers) == list(range(1, 41))


def test_a_state_from_before_what_was_settled_is_noticed(rolls: DeliveredIds) -> None:
    name = rolls.begin("notes", Roll())
    first = rolls.enter(name, added=some(1))
    second = rolls.enter(name, gone=some(1))
    assert not found(rolls, name, until=second).is_newer

    roll = found(rolls, name, until=first)

    assert roll.is_newer
    assert not found(rolls, name, until=second).is_newer


def test_it_stays_noticed_whatever_is_entered_meanwhile(rolls: DeliveredIds) -> None:
    name = rolls.begin("notes", Roll())
    first = rolls.enter(name, added=some(1))
    found(rolls, name, until=rolls.enter(name, gone=some(1)))
    rolls.enter(name, added=some(2))

    assert found(rolls, name, until=first).is_newer
    assert found(rolls, name, until=first).is_newer


def test_what_a_comparison_found_is_kept(rolls: DeliveredIds) -> None:
    name = rolls.begin("notes", Roll(some(1, 2)))

    rolls.note(name, unlisted=some(2), scopes="note.read.all")

    roll = found(rolls, name, until=0)
    assert (roll.unlisted, roll.scopes) == (some(2), "note.read.all")


def test_a_row_that_is_handed_out_or_gone_is_not_unlisted(rolls: DeliveredIds) -> None:
    name = rolls.begin("notes", Roll(some(1, 2, 3), unlisted=some(1, 2, 3)))
    number = rolls.enter(name, added=some(1), gone=some(2))

    assert found(rolls, name, until=number).unlisted == some(3)


def test_rolls_and_accounts_do_not_mix(store: Store, rolls: DeliveredIds) -> None:
    others = DeliveredIds(store, account="other")
    names = [rolls.begin("notes", Roll()), rolls.begin("notes", Roll())]
    number = rolls.enter(names[0], added=some(1))

    assert found(rolls, names[1], until=number).ids == some()
    assert others.roll(names[0], until=number) is None


@dataclass
class Ledger:
    """What must hold of a roll, in plain sets: what a loader is certain to have, and may have."""

    certain: set[int] = field(default_factory=set)
    doubtful: set[int] = field(default_factory=set)
    later: list[tuple[int, BitMap64, BitMap64]] = field(default_factory=list)

    def settle(self, until: int) -> None:
        for number, added, gone in self.later:
            both = set(added) | set(gone)
            self.certain -= both
            self.doubtful -= both if number <= until else set()
            if number <= until:
                self.certain |= set(added - gone)
            else:
                self.doubtful |= both
        self.later.clear()


runs = st.lists(
    st.tuples(st.lists(st.tuples(few, few), max_size=4), st.integers(0, 4)), min_size=1, max_size=5
)


@given(runs)
@settings(max_examples=50, deadline=None)
def test_over_any_runs_each_row_is_certain_in_doubt_or_not_there(
    history: list[tuple[list[tuple[BitMap64, BitMap64]], int]],
) -> None:
    with closing(Store("sqlite://")) as store:
        rolls, expected, until = DeliveredIds(store, account="default"), Ledger(), 0
        name = rolls.begin("notes", Roll())
        for entries, acknowledged in history:
            numbers = [until]
            for added, gone in entries:
                numbers.append(rolls.enter(name, added=added, gone=gone))
                expected.later.append((numbers[-1], added, gone))
            until = numbers[min(acknowledged, len(entries))]
            expected.settle(until)

            roll = found(rolls, name, until=until)

            assert set(roll.ids) == expected.certain
            assert set(roll.doubtful) == expected.doubtful
            assert not roll.is_newer


@given(few, few, few)
def test_no_id_is_both_certain_and_in_doubt(
    first: BitMap64, second: BitMap64, third: BitMap64
) -> None:
    roll = Roll()
    for change in (roll.add, roll.doubt, roll.add, roll.take_away, roll.doubt):
        change(first)
        assert not roll.ids & roll.doubtful
        first, second, third = second, third, first


def test_rolls_that_nobody_used_for_more_than_a_year_are_thrown_away(
    rolls: DeliveredIds, store: Store
) -> None:
    old, used = rolls.begin("notes", Roll()), rolls.begin("notes", Roll())
    for name in (old, used):
        rolls.enter(name, added=some(1))
    with store.transaction() as connection:
        long_ago = time.time() - 401 * DAY
        connection.execute(sql.update(DELIVERED_ROLLS).values(saved_at=long_ago))
    rolls.note(used, unlisted=some(), scopes=None)

    rolls.begin("notes", Roll())

    assert rolls.roll(old, until=1) is None
    assert found(rolls, used, until=1).ids == some(1)
    with store.transaction() as connection:
        left = connection.execute(sql.select(DELIVERED_ENTRIES.c.roll)).scalars().all()
    assert old not in left


def test_those_of_other_accounts_stay(store: Store, rolls: DeliveredIds) -> None:
    name = DeliveredIds(store, account="other").begin("notes", Roll())
    with store.transaction() as connection:
        connection.execute(sql.update(DELIVERED_ROLLS).values(saved_at=0.0))

    rolls.begin("notes", Roll())

    assert DeliveredIds(store, account="other").roll(name, until=0) is not None


def test_a_million_ids_are_read_and_written_in_no_time(tmp_path: Path) -> None:
    with closing(Store(f"sqlite:///{tmp_path / 'store.sqlite'}")) as store:
        rolls = DeliveredIds(store, account="default")
        ids = BitMap64(range(0, 7 * MILLION, 7))
        name = rolls.begin("notes", Roll())
        begun = time.process_time()
        number = rolls.enter(name, added=ids)
        for row in range(0, 7 * 50, 7):
            number = rolls.enter(name, gone=some(row))
        roll = found(rolls, name, until=number)
        seconds = time.process_time() - begun

    assert len(roll.ids) == MILLION - 50
    assert seconds < 2


def test_an_entry_of_few_ids_is_short_however_long_the_roll_is(
    store: Store, rolls: DeliveredIds
) -> None:
    name = rolls.begin("notes", Roll(BitMap64(range(0, 7 * MILLION, 7))))

    rolls.enter(name, added=some(1))

    with store.transaction() as connection:
        length = sql.select(sql.func.length(DELIVERED_ENTRIES.c.added))
        assert connection.execute(length).scalar_one() < 100


@pytest.mark.parametrize(
    "ids",
    [[], [1, 2], [0, LARGEST_ID], [-1, 1], [LARGEST_ID + 1, 1], [1 << 64, 1], [-(1 << 70), 1]],
)
def test_ids_that_no_table_could_hold_are_left_out(ids: list[int]) -> None:
    assert set(trackable(ids)) == {one for one in ids if 0 <= one <= LARGEST_ID}
