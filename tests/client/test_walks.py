"""Ways through an Index, fed with pages by hand: what they ask, and what they refuse."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from cirqll_client.ends import Sequel, sequel
from cirqll_client.key_walk import KeyWalk, changes_walk, id_walk
from cirqll_client.responses import Page, Rows
from cirqll_client.timestamps import Timestamps
from cirqll_client.walks import NotHonoured
from cirqll_client.whole_walk import MOST_PASSES, WholeWalk

UTC_TIMES = Timestamps(UTC)
FIRST, SECOND, THIRD = (f"2026-01-0{day} 12:00:00" for day in (1, 2, 3))


def page(*rows: tuple[Any, Any], **told: Any) -> Page:
    """Make a page of rows, each with its id and its time."""
    ids, times = [row[0] for row in rows], [row[1] for row in rows]
    return Page(Rows([{"id": row_id} for row_id in ids], ids, times), **told)


def changes(key: tuple[str, int] | None = None, since: str | None = None) -> KeyWalk:
    return changes_walk(field="updated_at", comparable=UTC_TIMES.comparable, key=key, since=since)


def whole(*, is_ordered: bool = True) -> WholeWalk:
    return WholeWalk(is_wanted=lambda *_: True, is_ordered=is_ordered)


def test_the_first_question_asks_for_everything_in_order() -> None:
    assert changes().query().parameters() == {"order_by": "updated_at,id"}


def test_the_first_question_after_a_bookmark_includes_its_moment() -> None:
    parameters = changes(since=FIRST).query().parameters()

    assert parameters["filter"] == f'updated_at:gte:"{FIRST}"'


def test_the_next_question_asks_for_what_lies_behind_the_last_row() -> None:
    walk = changes()

    walk.take(page((4, FIRST), (2, SECOND)))

    expected = f'(updated_at:gt:"{SECOND}",or,(updated_at:eq:"{SECOND}",and,id:gt:2))'
    assert walk.query().parameters()["filter"] == expected


def test_a_walk_by_id_moves_over_the_id_alone() -> None:
    walk = id_walk(last_id=0, is_wanted=lambda time, _: time == SECOND)

    rows = walk.take(page((3, FIRST), (7, SECOND)))

    assert rows.rows == [{"id": 7}]
    assert walk.query().parameters() == {"order_by": "id", "filter": "id:gt:7"}


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([(5, THIRD), (6, SECOND)], "the order by updated_at and id"),
        ([(6, SECOND), (5, SECOND)], "the order by updated_at and id"),
        ([(6, SECOND), (6, SECOND)], "the order by updated_at and id"),
        ([(9, FIRST), (10, THIRD)], "the filter by updated_at and id"),
        ([(3, SECOND)], "the filter by updated_at and id"),
        ([(9, None)], "without a usable updated_at"),
        ([("9", THIRD)], "without a whole number as its id"),
    ],
)
def test_a_page_that_is_not_what_was_asked_for_is_refused(
    rows: list[tuple[Any, Any]], complaint: str
) -> None:
    walk = changes(key=(SECOND, 3))

    with pytest.raises(NotHonoured, match=complaint):
        walk.take(page(*rows))


def test_the_last_row_asked_for_once_more_proves_ties_and_does_not_come_twice() -> None:
    walk = changes(key=(SECOND, 3))
    walk.is_overlapping = True

    rows = walk.take(page((3, SECOND), (5, THIRD)))

    assert rows.rows == [{"id": 5}]
    assert walk.are_ties_proven


def test_fewer_rows_than_were_counted_may_be_missed_ties() -> None:
    walk = changes(key=(SECOND, 3))

    assert walk.may_miss_ties(page((9, THIRD), total=1), counted=2)
    assert not walk.may_miss_ties(page((9, THIRD), total=2), counted=2)


def test_the_goal_is_reached_at_its_row_or_behind_it() -> None:
    walk = changes(key=(FIRST, 1))
    walk.aim(page((4, SECOND)).rows)
    assert not walk.has_arrived

    walk.take(page((4, SECOND)))

    assert walk.has_arrived
    assert not walk.is_beyond_goal


@pytest.mark.parametrize(
    ("rows", "told", "known", "follows"),
    [
        (2, {"limit": 1000, "total": 2}, {}, Sequel.END),
        (0, {"limit": 1000, "total": 0}, {}, Sequel.END),
        (0, {"limit": 1000, "total": 0}, {"is_filtered": True}, Sequel.DOUBT),
        (2, {"limit": 1000}, {"expected": None}, Sequel.DOUBT),
        (2, {"limit": 2, "total": 5}, {"expected": 5}, Sequel.MORE),
        (2, {"limit": 2, "total": 5}, {"expected": 2}, Sequel.DOUBT),
        (2, {"limit": 2, "total": 2}, {}, Sequel.DOUBT),
        (2, {"limit": 2, "total": 2}, {"is_total_proven": True}, Sequel.DOUBT),
        (2, {"total": 2}, {"is_total_proven": True}, Sequel.DOUBT),
        (
            2,
            {"limit": 2, "total": 2},
            {"is_total_proven": True, "read": 4, "expected": 4},
            Sequel.END,
        ),
        (100, {"limit": 1000, "total": 100}, {"is_total_proven": True}, Sequel.END),
        (100, {"limit": 1000, "total": 100}, {}, Sequel.DOUBT),
        (2, {"total": 2}, {}, Sequel.DOUBT),
        (2, {"limit": 1000, "total": 2}, {"expected": 3}, Sequel.DOUBT),
        (0, {"limit": 1000, "total": 7}, {"expected": 7}, Sequel.DOUBT),
    ],
)
def test_what_follows_a_page_is_certain_or_doubtful(
    rows: int, told: dict[str, int], known: dict[str, Any], follows: Sequel
) -> None:
    answer = page(*((number, FIRST) for number in range(rows)), **told)
    facts = {"read": rows, "expected": rows, "is_total_proven": False, "is_filtered": False}

    assert sequel(answer, **facts | known) is follows


def test_pages_of_the_whole_overlap_by_a_row() -> None:
    walk = whole()

    walk.take(page((1, FIRST), (2, FIRST), (3, FIRST), total=5))

    assert walk.query().parameters() == {"offset": "2", "order_by": "id"}


def test_a_pass_without_a_move_is_complete() -> None:
    walk = whole()

    for ids in ((1, 2, 3), (3, 4, 5), (5,)):
        walk.take(page(*((row_id, FIRST) for row_id in ids), total=5))

    assert walk.is_complete


def test_a_row_that_moved_begins_the_pass_anew() -> None:
    walk = whole()
    walk.take(page((1, FIRST), (2, FIRST), (3, FIRST), total=5))

    walk.take(page((4, FIRST), (5, FIRST), total=4))
    walk.take(page((5, FIRST), total=4))

    assert not walk.is_complete
    assert walk.query().offset == 0


def test_rows_that_never_stop_moving_are_not_taken_for_complete() -> None:
    walk = whole()

    def read() -> None:
        for _ in range(MOST_PASSES):
            walk.take(page((1, FIRST), (2, FIRST), total=3))
            walk.take(page((1, FIRST), total=3))

    with pytest.raises(NotHonoured, match="rows kept moving in 5 passes"):
        read()


def test_a_server_that_ignores_the_offset_is_not_taken_for_complete() -> None:
    walk = whole()

    def read() -> None:
        for _ in range(2 * MOST_PASSES):
            walk.take(page((1, FIRST), (2, FIRST)))

    with pytest.raises(NotHonoured):
        read()
