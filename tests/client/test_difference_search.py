"""Laws of the search for differences, against a side that answers from a set of keys."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import cycle, repeat
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from cirqll_client.difference_search import (
    DifferenceSearch,
    KnownIds,
    Listed,
    Range,
    SortedKeys,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LAST = 50
BEYOND_ALL_BOUNDS = 1000

Keys = frozenset[int]

ALL = (1 << LAST + 1) - 1
masks = st.integers(0, ALL)
few = st.builds(lambda one, two, three: one & two & three, masks, masks, masks)
keys = st.one_of(masks, few, few.map(lambda mask: ALL - mask)).map(
    lambda mask: frozenset(key for key in range(LAST + 1) if mask >> key & 1)
)
"""Few keys, half of all, or nearly all."""
page_sizes = st.integers(1, 8)
starts = st.just(0) | st.integers(0, LAST + 5)
laws = settings(deadline=None, max_examples=200)


@dataclass(frozen=True)
class Pages:
    """How long pages are: what fits, and what the answer says of it."""

    given: int
    told: int


any_pages = st.lists(
    st.builds(
        lambda given, more: Pages(given, given + more if more else 0), page_sizes, st.integers(0, 8)
    )
    | page_sizes.map(lambda size: Pages(size, size)),
    min_size=1,
    max_size=4,
)
"""Another one for each answer: it may cap without a word, or tell nonsense."""


@dataclass
class Side:
    """Whoever answers: the keys that are there, and all that was asked and listed."""

    there: set[int]
    pages: Iterator[Pages]
    unlisted: Keys = frozenset()
    """Counted, also by an offset, and never given."""
    uncounted: Keys = frozenset()
    """Given, and not in the count."""
    errors: Iterator[int] = field(default_factory=lambda: repeat(0))
    """By so many each count is wrong."""
    asked: list[Range] = field(default_factory=list)
    listed: list[int] = field(default_factory=list)
    read: set[int] = field(default_factory=set)
    """Whatever lies between the first and the last key of a page, and behind the last one."""

    def answer(self, question: Range) -> Listed:
        """Answer, as an Index does."""
        self.asked.append(question)
        within = sorted(key for key in self.there if question.first <= key <= question.last)
        pages = next(self.pages)
        behind = within[question.offset :]
        page = [key for key in behind[: pages.given] if key not in self.unlisted]
        self.listed += page
        if page:
            is_all = len(page) == len(behind)
            self.read.update(range(page[0], (question.last if is_all else page[-1]) + 1))
        total = sum(key not in self.uncounted for key in within) + next(self.errors)
        return Listed(max(0, total), page, pages.told)


def side(there: Iterable[int], *pages: Pages) -> Side:
    return Side(set(there), cycle(pages))


def searched(
    known: Iterable[int],
    side: Side,
    *,
    start: int = 0,
    last: int = LAST,
    meanwhile: Callable[[set[int]], object] = lambda _: None,
) -> DifferenceSearch:
    """Search to the end; a search without one fails."""
    search = DifferenceSearch(SortedKeys(sorted(known)), first=0, last=last, start=start)
    while search.question is not None:
        assert search.questions < BEYOND_ALL_BOUNDS
        search.take(side.answer(search.question))
        meanwhile(side.there)
    assert search.questions == len(side.asked)
    return search


def pages_of(number: int, page_size: int) -> int:
    """Tell how many pages hold so many keys."""
    return -(-number // page_size)


@laws
@given(known=keys, left=keys, pages=any_pages, start=starts)
def test_all_that_went_is_found(known: Keys, left: Keys, pages: list[Pages], start: int) -> None:
    search = searched(known, side(known & left, *pages), start=start)

    assert sorted(search.absent) == sorted(known - left)
    assert search.unknown == []


@laws
@given(known=keys, new=keys, pages=any_pages, start=starts)
def test_all_that_came_is_found(known: Keys, new: Keys, pages: list[Pages], start: int) -> None:
    search = searched(known, side(known | new, *pages), start=start)

    assert sorted(search.unknown) == sorted(new - known)
    assert search.absent == []


@laws
@given(known=keys, there=keys, pages=any_pages, start=starts)
def test_nothing_is_missed_but_what_is_masked_in_a_part_that_was_not_read(
    known: Keys, there: Keys, pages: list[Pages], start: int
) -> None:
    answering = side(there, *pages)

    search = searched(known, answering, start=start)

    missed_absent = known - there - set(search.absent)
    missed_unknown = there - known - set(search.unknown)
    assert len(missed_absent) == len(missed_unknown)
    assert not (missed_absent | missed_unknown) & answering.read


@laws
@given(known=keys, there=keys, pages=any_pages, start=starts)
def test_nothing_is_told_that_is_not_so(
    known: Keys, there: Keys, pages: list[Pages], start: int
) -> None:
    answering = side(there, *pages)

    search = searched(known, answering, start=start)

    assert set(search.absent) <= known - there
    assert set(search.unknown) <= there - known
    for told in (search.absent, search.unknown, answering.listed):
        assert len(told) == len(set(told))
    assert (search.counted, search.unexplained) == (len(there), 0)
    assert (search.listed in there) if answering.listed else (search.listed is None)


@laws
@given(known=keys, pages=any_pages, start=starts)
def test_where_nothing_differs_one_question_is_enough(
    known: Keys, pages: list[Pages], start: int
) -> None:
    search = searched(known, side(known, *pages), start=min(start, max(0, len(known) - 1)))

    assert search.questions == 1
    assert search.absent == search.unknown == []


@laws
@given(known=keys, left=keys, page_size=page_sizes, start=starts)
@example(known=frozenset(range(40)), left=frozenset({0, 39}), page_size=1, start=0)
def test_finding_what_went_takes_no_more_questions_than_reading_what_was_known(
    known: Keys, left: Keys, page_size: int, start: int
) -> None:
    """A page settles as many known keys as it holds, and a page that is not full all of its range.

    Ranges are divided where whole pages of known keys end. So of a range of up to n pages of known
    keys, j pages are asked for (0 < j <= n): that settles a page, or all j. What is left takes
    n - 1 questions at most. A first page in the middle may leave two parts, one page more.
    """
    search = searched(known, side(known & left, Pages(page_size, page_size)), start=start)

    assert search.questions <= max(1, pages_of(len(known), page_size)) + (start > 0)


@laws
@given(known=keys, there=keys, page_size=page_sizes, start=starts)
@example(known=frozenset(), there=frozenset(), page_size=1, start=1)
def test_it_never_takes_more_questions_than_reading_both_sides(
    known: Keys, there: Keys, page_size: int, start: int
) -> None:
    """A full page is one of those that hold what is there; each other answer settles its range.

    Of such a range there is one for each page of known keys, by the argument above; one more at an
    edge behind which nothing is known, and another one where the first page has two edges.
    """
    search = searched(known, side(there, Pages(page_size, page_size)), start=start)

    full_pages = len(there) // page_size
    assert search.questions <= pages_of(len(known), page_size) + full_pages + 1 + (start > 0)


@laws
@given(known=keys, there=keys, pages=any_pages, start=starts)
def test_each_question_but_the_first_settles_a_key(
    known: Keys, there: Keys, pages: list[Pages], start: int
) -> None:
    search = searched(known, side(there, *pages), start=start)

    assert search.questions <= max(1, len(known | there)) + 1


@laws
@given(
    known=keys,
    there=keys,
    changes=st.lists(st.tuples(keys, keys), max_size=12),
    pages=any_pages,
    start=starts,
)
def test_what_comes_and_goes_meanwhile_makes_nothing_wrong(
    known: Keys,
    there: Keys,
    changes: list[tuple[Keys, Keys]],
    pages: list[Pages],
    start: int,
) -> None:
    answering, events = side(there, *pages), iter(changes)
    throughout, ever = set(there), set(there)

    def change(now: set[int]) -> None:
        come, stay = next(events, (frozenset(), frozenset(range(LAST + 1))))
        now |= come
        now &= stay
        throughout.intersection_update(now)
        ever.update(now)

    search = searched(known, answering, start=start, meanwhile=change)

    assert not throughout & set(search.absent)
    assert set(search.unknown) <= ever - known
    assert len(answering.listed) == len(set(answering.listed))
    assert search.questions <= LAST + 2


@laws
@given(known=keys, there=keys, page_size=page_sizes)
def test_who_begins_at_each_page_in_turn_finds_what_is_masked_too(
    known: Keys, there: Keys, page_size: int
) -> None:
    believed = set(known)

    for start in range(0, len(there) + 1, page_size):
        search = searched(believed, side(there, Pages(page_size, page_size)), start=start)
        believed = (believed - set(search.absent)) | set(search.unknown)

    assert believed == there


@laws
@given(
    known=keys.filter(len), place=st.integers(0, LAST), page_size=st.integers(2, 8), start=starts
)
def test_a_key_that_is_counted_and_never_listed_stays_unexplained(
    known: Keys, place: int, page_size: int, start: int
) -> None:
    hidden = sorted(known)[place % len(known)]
    answering = side(known, Pages(page_size, page_size))
    answering.unlisted = frozenset({hidden})

    search = searched(known, answering, start=start)

    assert set(search.absent) <= {hidden}
    assert search.unknown == []
    assert search.unexplained == len(search.absent)
    assert search.absent or hidden not in answering.read


@laws
@given(known=keys.filter(len), place=st.integers(0, LAST), page_size=page_sizes, start=starts)
def test_a_key_that_is_listed_and_not_counted_stays_unexplained(
    known: Keys, place: int, page_size: int, start: int
) -> None:
    answering = side(known, Pages(page_size, page_size))
    answering.uncounted = frozenset({sorted(known)[place % len(known)]})

    search = searched(known, answering, start=start)

    assert search.absent == search.unknown == []
    assert search.unexplained == -1


@laws
@given(
    known=keys,
    there=keys,
    errors=st.lists(st.integers(-3, 3), min_size=1, max_size=5),
    page_size=page_sizes,
    start=starts,
)
@example(known=frozenset({LAST}), there=frozenset({LAST}), errors=[1], page_size=1, start=0)
def test_counts_that_are_wrong_make_nothing_wrong(
    known: Keys, there: Keys, errors: list[int], page_size: int, start: int
) -> None:
    answering = side(there, Pages(page_size, page_size))
    answering.errors = cycle(errors)

    search = searched(known, answering, start=start)

    assert set(search.absent) <= known - there
    assert set(search.unknown) <= there - known
    assert all(question.first <= question.last <= LAST for question in answering.asked)


def test_a_range_that_differs_is_halved_where_a_page_ends() -> None:
    known, there = range(1, 13), set(range(1, 13)) - {8}
    answering = side(there, Pages(2, 2))

    search = searched(known, answering, last=12)

    assert answering.asked == [Range(0, 12), Range(3, 6), Range(7, 8)]
    assert search.absent == [8]


def test_a_first_page_in_the_middle_leaves_what_lies_on_both_sides() -> None:
    known, there = range(1, 10), set(range(1, 10)) - {2, 8}
    answering = side(there, Pages(3, 3))

    search = searched(known, answering, start=3, last=9)

    assert answering.asked == [Range(0, 9, offset=3), Range(8, 9), Range(0, 4)]
    assert sorted(search.absent) == [2, 8]


def test_it_begins_with_the_first_page_of_all() -> None:
    search = DifferenceSearch(SortedKeys([1, 2]), first=0, last=2)

    assert search.question == Range(0, 2, offset=0)


def test_nothing_can_be_taken_that_was_not_asked() -> None:
    search = searched({1}, side({1}, Pages(1, 1)))

    with pytest.raises(RuntimeError, match="nothing was asked"):
        search.take(Listed(0, [], 1))


@laws
@given(known=keys, ends=st.tuples(st.integers(-1, LAST + 2), st.integers(-1, LAST + 2)))
def test_both_kinds_of_known_keys_count_and_give_the_same(
    known: Keys, ends: tuple[int, int]
) -> None:
    first, last = max(0, ends[0]), ends[1]
    in_order = sorted(known)
    expected = in_order[bisect_left(in_order, first) : bisect_right(in_order, last)]

    for one in (KnownIds(BitMap64(known)), SortedKeys(in_order)):
        assert one.count(first, last) == len(expected)
        assert one.within(first, last) == expected
        assert [one.nth(first, n + 1) for n in range(len(expected))] == expected


@laws
@given(known=keys, there=keys, pages=any_pages, start=starts)
def test_both_kinds_of_known_keys_lead_to_the_same_questions(
    known: Keys, there: Keys, pages: list[Pages], start: int
) -> None:
    by_list, by_bitmap = side(there, *pages), side(there, *pages)
    expected = searched(known, by_list, start=start)
    search = DifferenceSearch(KnownIds(BitMap64(known)), first=0, last=LAST, start=start)

    while search.question is not None:
        search.take(by_bitmap.answer(search.question))

    assert by_bitmap.asked == by_list.asked
    assert (search.absent, search.unknown) == (expected.absent, expected.unknown)
