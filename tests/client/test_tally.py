"""What a reading tells of itself: what it read, next to what the server counted."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cirqll_client.errors import AnswerUnexpected, ScopeMissing
from cirqll_client.reading import Beginning, Reading
from cirqll_client.recount import Recount, compared
from cirqll_client.resources import resource_of_stream
from cirqll_client.responses import Page, Rows
from cirqll_client.tally import Tally
from cirqll_client.whole_walk import WholeWalk
from tests.client.meddling import meddled
from tests.client.schedules import Schedule, keep_the_law, schedules
from tests.reading_fixtures import NOON, Outcome, Source

if TYPE_CHECKING:
    from collections.abc import Callable

several = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Watched:
    """A reading, and what came of it."""

    reading: Reading
    outcome: Outcome

    @property
    def tally(self) -> Tally:
        """What the reading says it read."""
        return self.reading.tally

    @property
    def agrees(self) -> bool:
        """Tell whether as many rows came as were counted, each once."""
        return (self.tally.expected, self.tally.repeated) == (self.tally.distinct, 0)


def watch(
    crm: Source,
    beginning: Beginning | None = None,
    *,
    stream: str = "customers",
    pages: int | None = None,
    is_incremental: bool = True,
) -> Watched:
    """Read, and keep the reading."""
    resource = resource_of_stream(stream)
    assert resource
    warnings: list[str] = []
    crm.sandbox.forget_requests()
    connection = crm.connection()
    reading = Reading(
        connection.client,
        resource,
        timestamps=connection.timestamps,
        beginning=beginning or Beginning(),
        is_incremental=is_incremental,
        warn=warnings.append,
        clock=crm.sandbox.clock.now,
    )
    batches = list(islice(reading.batches(), pages))
    return Watched(reading, Outcome(batches, warnings, crm.queries))


def once_at(crm: Source, number: int, happen: Callable[[], object]) -> Callable[[], None]:
    """Let something happen right before a request."""
    requests = iter(range(1, 1000))
    return crm.sandbox.before_request(lambda _: next(requests) == number and happen())


@pytest.mark.parametrize("rows", [0, 9, 10, 35])
@pytest.mark.parametrize("server", [{}, {"order_mode": "ignore"}, {"filter_mode": "refuse"}])
def test_a_quiet_reading_reads_as_many_rows_as_are_counted(
    crm: Source, rows: int, server: dict[str, Any]
) -> None:
    crm.begin(page_maximum=10, **server)
    ids = crm.fill(rows)

    watched = watch(crm)

    assert [*watched.tally.ids] == ids
    assert watched.agrees
    assert watched.tally.is_quiet
    assert watched.tally.is_whole
    assert watched.tally.lacking == 0


def test_a_batch_has_the_ids_of_its_rows_alone(crm: Source) -> None:
    crm.begin(page_maximum=10, filter_mode="refuse")
    ids = crm.fill(35, seconds_apart=60)

    watched = watch(crm, Beginning(bookmark=NOON - timedelta(minutes=3)))

    for batch in watched.outcome.batches:
        assert batch.ids == [row["id"] for row in batch.rows]
    assert {row_id for batch in watched.outcome.batches for row_id in batch.ids} == {*ids[-4:]}
    assert [*watched.tally.ids] == ids


def test_what_changed_since_the_bookmark_is_not_the_whole(crm: Source) -> None:
    crm.fill(20, seconds_apart=60)

    watched = watch(crm, Beginning(bookmark=NOON - timedelta(minutes=3)))

    assert [*watched.tally.ids] == [17, 18, 19, 20]
    assert watched.agrees
    assert not watched.tally.is_whole


@pytest.mark.parametrize("is_incremental", [False, True])
def test_the_rest_of_an_interrupted_reading_agrees_with_what_is_counted_of_it(
    crm: Source,
    is_incremental: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    crm.begin(page_maximum=5)
    ids = crm.fill(18)
    first = watch(crm, pages=2, is_incremental=is_incremental)
    crm.sandbox.clock.move(10)
    crm.customers.update(ids[0], name="passed before, changed since")

    rest = watch(crm, first.outcome.beginning, is_incremental=is_incremental)
    recount = rest.reading.recount()

    assert [*rest.tally.ids] == [*([ids[0]] if is_incremental else ()), *ids[10:]]
    assert rest.agrees
    assert not rest.tally.is_whole
    assert recount == Recount(rest.tally.distinct)


@pytest.mark.parametrize(("lookback", "in_second"), [(0, 1), (4, 5), (60, 18)])
def test_both_windows_after_an_interruption_are_one(
    crm: Source, lookback: int, in_second: int
) -> None:
    crm.begin(page_maximum=5)
    ids = crm.fill(18)
    first = watch(crm, pages=1)
    before = replace(first.outcome.beginning, lookback=timedelta(seconds=lookback))

    rest = watch(crm, before)

    assert len(rest.outcome.ids) == 13 + in_second, "the second window has rows of the first"
    assert [*rest.tally.ids] == ids[min(5, 18 - in_second) :]
    assert rest.agrees
    assert rest.reading.recount() == Recount(rest.tally.distinct)


def test_an_edit_while_it_reads_is_explained(crm: Source) -> None:
    crm.begin(page_maximum=10)
    crm.fill(35)

    def edit_behind_the_end() -> None:
        crm.sandbox.clock.move(5)
        crm.customers.insert(name="new")
        crm.customers.delete(3)

    stop = once_at(crm, 3, edit_behind_the_end)
    watched = watch(crm)
    stop()
    crm.sandbox.clock.move(5)
    added = crm.customers.insert(name="newer")
    recount = watched.reading.recount()

    assert not watched.tally.is_quiet
    assert added["id"] not in watched.tally
    assert recount == Recount(36, changed_during=1, gone=1)


def test_a_row_that_comes_back_while_it_reads_is_missing(crm: Source) -> None:
    crm.begin(page_maximum=10)
    crm.fill(35)
    crm.sandbox.delete("customer", 4)
    stop = once_at(crm, 3, lambda: crm.sandbox.restore("customer", 4, touches=False))
    watched = watch(crm)
    stop()
    crm.behave(page_maximum=100)

    recount = watched.reading.recount()

    assert recount == Recount(35, missing_ids=[4])


def test_a_row_that_is_missing_and_old_is_uncertain_until_it_is_searched_for(crm: Source) -> None:
    crm.begin(page_maximum=10)
    crm.fill(35)
    crm.sandbox.delete("customer", 4)
    stop = once_at(crm, 3, lambda: crm.sandbox.restore("customer", 4, touches=False))
    watched = watch(crm)
    stop()

    assert watched.reading.recount() == Recount(35, uncertain=1)


def test_a_table_that_is_read_by_id_is_counted_again_by_id(crm: Source) -> None:
    crm.begin(page_maximum=10)
    crm.fill(25)
    watched = watch(crm, is_incremental=False)
    crm.customers.insert(name="new")
    crm.sandbox.delete("customer", 3, 4)

    assert watched.reading.recount() == Recount(24, changed_during=1, gone=2)
    assert crm.queries[-1] == {"limit": "1000", "order_by": "id:desc", "show": "id"}


def test_one_question_about_the_window_is_asked_newest_first(crm: Source) -> None:
    crm.fill(20, seconds_apart=60)
    watched = watch(crm, Beginning(bookmark=NOON - timedelta(minutes=3)))
    crm.sandbox.forget_requests()

    watched.reading.recount()

    assert crm.queries == [
        {
            "filter": 'updated_at:gte:"2026-06-01 11:57:00"',
            "limit": "1000",
            "order_by": "updated_at:desc,id:desc",
            "show": "id,updated_at",
        }
    ]


@pytest.mark.parametrize("server", [{"show_mode": "refuse"}, {"order_mode": "refuse"}])
def test_a_recount_does_without_what_is_refused(crm: Source, server: dict[str, Any]) -> None:
    crm.begin(**server)
    crm.fill(5)
    watched = watch(crm)
    crm.sandbox.delete("customer", 2)

    assert watched.reading.recount() == Recount(4, gone=1)


def test_a_recount_that_cannot_be_had_is_an_error(crm: Source) -> None:
    crm.fill(5)
    watched = watch(crm)
    crm.sandbox.faults.add("403", path="/customer$")

    with pytest.raises(ScopeMissing):
        watched.reading.recount()


@pytest.mark.parametrize("total", ["missing", "lying"])
def test_a_server_that_does_not_count_leaves_the_recount_open(crm: Source, total: str) -> None:
    crm.begin(page_maximum=10, total_echo=total)
    crm.fill(35)

    watched = watch(crm)

    assert watched.tally.distinct == 35
    assert watched.tally.expected == (10 if total == "lying" else None)
    assert watched.reading.recount() == Recount(None)


@pytest.mark.parametrize("off_by", [-3, -1, 1, 2])
@pytest.mark.parametrize("maximum", [10, 100])
def test_a_total_that_is_wrong_loses_no_row_and_does_not_agree(
    crm: Source, off_by: int, maximum: int
) -> None:
    crm.begin(page_maximum=maximum, total_off_by=off_by)
    ids = crm.fill(35)

    watched = watch(crm)

    assert watched.outcome.ids == ids
    assert watched.outcome.warnings == []
    assert watched.tally.expected == 35 + off_by
    assert watched.tally.is_quiet == (off_by < 0)
    assert watched.reading.recount().uncertain == max(0, off_by)


@pytest.mark.parametrize("hidden", [(5,), (10,), (11,), (5, 6, 7, 20), (3, 13, 23, 33)])
@pytest.mark.parametrize("is_incremental", [False, True])
def test_rows_that_are_counted_and_never_given_lack_and_the_bookmark_stays(
    crm: Source,
    hidden: tuple[int, ...],
    is_incremental: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(35)
    crm.sandbox.hide("customer", *hidden)

    watched = watch(crm, is_incremental=is_incremental)

    assert watched.outcome.ids == [row_id for row_id in ids if row_id not in hidden]
    assert watched.tally.lacking == len(hidden)
    assert watched.outcome.bookmark is None
    assert watched.outcome.beginning.stand is None
    (warning,) = watched.outcome.warnings
    assert "customers that it does not give" in warning
    assert len(watched.outcome.queries) <= 4 + 10


def test_the_bookmark_moves_again_once_all_is_given(crm: Source) -> None:
    crm.begin(page_maximum=10)
    crm.fill(12, seconds_apart=60)
    since = NOON - timedelta(minutes=20)
    crm.sandbox.hide("customer", 5)

    first = watch(crm, Beginning(bookmark=since))
    crm.sandbox.show_again("customer")
    second = watch(crm, first.outcome.beginning)

    assert first.outcome.bookmark == since
    assert second.outcome.ids == [*range(1, 13)]
    assert second.outcome.bookmark == NOON


def test_what_is_left_of_an_interrupted_reading_lacks_and_the_bookmark_stays(crm: Source) -> None:
    crm.begin(page_maximum=5)
    crm.fill(20, seconds_apart=60)
    since = NOON - timedelta(hours=1)
    crm.sandbox.hide("customer", 12)
    first = watch(crm, Beginning(bookmark=since), pages=1)

    rest = watch(crm, first.outcome.beginning)

    assert rest.tally.lacking == 1
    assert rest.outcome.bookmark == since
    assert rest.outcome.ids == [row_id for row_id in range(6, 21) if row_id != 12]


def by_date(text: str) -> str:
    """Compare dates only: what is later on the same day is not later."""
    return re.sub(r':gt:"(\S+) [^"]*"', r':gt:"\1 23:59:59"', text)


def test_rows_that_a_filter_passes_over_do_not_lack_where_pages_are_cut_in_silence(
    crm: Source,
) -> None:
    crm.begin(page_maximum=10, page_maximum_mode="cap_silently")
    ids = crm.fill(65, seconds_apart=3 * 3600)

    with meddled(crm.sandbox, by_date) as url, closing(Source(crm.sandbox, url)) as misheard:
        watched = watch(misheard)

    assert {*watched.outcome.ids} == {*ids}
    assert watched.tally.lacking == 0
    assert watched.outcome.bookmark == NOON


def test_a_lack_on_a_single_page_costs_a_handful_of_requests(crm: Source) -> None:
    crm.fill(35)
    crm.sandbox.hide("customer", 5)

    watched = watch(crm)

    assert watched.tally.lacking == 1
    assert len(watched.outcome.queries) <= 9


@pytest.mark.parametrize("hidden", [(5,), (9, 10, 11), (34,), tuple(range(8, 26))])
@pytest.mark.parametrize("order", ["honour", "ignore"])
def test_a_lack_is_believed_after_two_passes_over_the_whole(
    crm: Source, hidden: tuple[int, ...], order: str
) -> None:
    crm.begin(page_maximum=10, filter_mode="refuse", order_mode=order)
    ids = crm.fill(35)
    crm.sandbox.hide("customer", *hidden)

    watched = watch(crm)

    assert [*watched.tally.ids] == [row_id for row_id in ids if row_id not in hidden]
    assert watched.tally.lacking == len(hidden)
    assert watched.tally.repeated == 0
    assert watched.outcome.bookmark is None
    assert "customers that it does not give" in watched.outcome.warnings[-1]
    assert len(watched.outcome.queries) <= 4 + 2 * 8


def test_a_total_that_is_too_high_ends_two_passes_over_the_whole(crm: Source) -> None:
    crm.begin(page_maximum=10, filter_mode="refuse", total_off_by=1)
    ids = crm.fill(35)

    watched = watch(crm)

    assert {*watched.outcome.ids} == {*ids}
    assert watched.tally.lacking == 1
    assert watched.outcome.bookmark is None


def test_rows_that_move_in_all_passes_are_no_lack(crm: Source) -> None:
    crm.begin(page_maximum=5, filter_mode="refuse")
    crm.fill(100)
    stop = crm.sandbox.before_request(lambda _: crm.customers.delete(crm.customers.ids[0]))

    with pytest.raises(AnswerUnexpected, match="rows kept moving in 5 passes"):
        watch(crm)
    stop()


def test_the_newest_row_hidden_does_not_end_the_reading_early(crm: Source) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(35)
    crm.sandbox.hide("customer", 35)
    stop = once_at(crm, 2, lambda: crm.customers.delete(30))

    watched = watch(crm)
    stop()

    assert watched.outcome.ids == [row_id for row_id in ids if row_id not in {30, 35}]
    assert watched.reading.recount().uncertain == 1


def test_rows_that_come_twice_are_counted_as_repeated(crm: Source) -> None:
    crm.begin(page_maximum=10, repeated_rows={"customer": (5, 12)})
    ids = crm.fill(35)

    watched = watch(crm)

    assert [*watched.tally.ids] == ids
    assert watched.tally.repeated == 2
    assert watched.tally.expected == 35


def test_only_the_last_pass_over_the_whole_is_told(crm: Source) -> None:
    crm.begin(page_maximum=10, filter_mode="refuse", repeated_rows={"customer": (15,)})
    ids = crm.fill(35)
    offsets = iter(range(1, 100))

    def delete_behind_the_repeated_row(request: Any) -> None:
        if "offset" in request.query and next(offsets) == 2:
            crm.customers.delete(3)

    stop = crm.sandbox.before_request(delete_behind_the_repeated_row)

    watched = watch(crm)
    stop()

    assert watched.tally.repeated == 1
    assert [*watched.tally.ids] == [row_id for row_id in ids if row_id != 3]


def test_an_edit_that_a_delete_makes_up_for_in_the_count_is_not_quiet(crm: Source) -> None:
    crm.begin(page_maximum=10)
    crm.fill(35)

    def edit_and_delete() -> None:
        crm.customers.update(1, name="read once more")
        crm.customers.delete(30)

    stop = once_at(crm, 2, edit_and_delete)
    watched = watch(crm)
    stop()

    assert watched.tally.distinct == 34
    assert not watched.tally.is_quiet
    assert watched.reading.recount() == Recount(34)


def test_the_tally_is_of_the_way_that_came_to_its_end(crm: Source) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(35)
    crm.customers.update(ids[9], name="the last of the first page")
    crm.behave(order_mode="ignore")

    watched = watch(crm)

    assert len(watched.outcome.ids) > 35, "another way was begun"
    assert watched.agrees
    assert watched.tally.is_quiet


@several
@given(schedule=schedules(), is_incremental=st.booleans())
def test_whatever_happens_meanwhile_the_recount_explains_every_difference(
    crm: Source, schedule: Schedule, *, is_incremental: bool
) -> None:
    crm.begin()

    def read(crm: Source, beginning: Beginning, pages: int | None) -> Outcome:
        watched = watch(crm, beginning, pages=pages, is_incremental=is_incremental)
        if pages is None:
            check_honesty(crm, watched, page=schedule.page)
        return watched.outcome

    keep_the_law(crm, read, schedule, quiet_runs=2)


@several
@given(schedule=schedules(smallest_page=2))
def test_page_by_page_too_the_recount_explains_every_difference(
    crm: Source, schedule: Schedule
) -> None:
    crm.begin(filter_mode="refuse")

    def read(crm: Source, beginning: Beginning, pages: int | None) -> Outcome:
        try:
            watched = watch(crm, beginning, pages=pages)
        except AnswerUnexpected:
            return Outcome([], [], [])
        if pages is None:
            check_honesty(crm, watched, page=schedule.page)
        return watched.outcome

    keep_the_law(crm, read, schedule, quiet_runs=2)


def check_honesty(crm: Source, watched: Watched, *, page: int) -> None:
    """Check a reading that came to its end, from a server that tells the truth."""
    tally = watched.tally
    assert tally.lacking == tally.repeated == 0
    assert not tally.is_quiet or watched.agrees
    crm.behave(page_maximum=1000)
    recount = watched.reading.recount()
    crm.behave(page_maximum=page)
    assert recount.counted is not None
    assert (recount.missing_ids, recount.uncertain) == ([], 0)
    known = recount.counted - recount.changed_during
    assert known == tally.distinct - recount.gone


@given(
    pages=st.lists(
        st.lists(st.integers(-3, 50) | st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**90]))
    )
)
def test_a_tally_holds_whatever_ids_come(pages: list[list[int]]) -> None:
    tally = Tally()

    for ids in pages:
        tally.take(ids, is_as_counted=True)

    came = [row_id for ids in pages for row_id in ids]
    assert tally.distinct == len({*came})
    assert tally.rows == len(came)
    assert all(row_id in tally for row_id in came)
    assert 51 not in tally
    assert tally.largest_id == max(came, default=-1) or max(came) < -1
    assert max(tally.ids, default=0) < 2**63


def newest(*ids: int, total: int, **told: Any) -> Page:
    """Give a page of rows that changed at the time that their id tells."""
    rows = Rows([{"id": row_id} for row_id in ids], list(ids), [str(row_id) for row_id in ids])
    return Page(rows, total=total, **told)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (newest(5, 4, 3, total=5, limit=3), Recount(5)),
        (newest(5, 4, 3, total=4, limit=3), Recount(4, gone=1)),
        (newest(5, 4, 3, total=7, limit=3), Recount(7, uncertain=2)),
        (newest(9, 5, 4, total=6, limit=3), Recount(6, changed_during=1)),
        (newest(9, 5, 4, total=5, limit=3), Recount(5, changed_during=1, gone=1)),
        (newest(9, 7, 5, total=7, limit=3), Recount(7, changed_during=1, missing_ids=[7])),
        (newest(9, 8, total=7, limit=2), Recount(7, changed_during=2, uncertain=1)),
        (newest(9, 8, total=12, limit=2), Recount(12, changed_during=2, uncertain=5)),
        (newest(5, 4, 3, total=3, limit=3), Recount(None)),
        (newest(5, 4, 3, total=3, limit=9), Recount(3, gone=2)),
        (newest(total=0, limit=3), Recount(0, gone=5)),
    ],
)
def test_the_newest_rows_tell_what_became_of_the_others(page: Page, expected: Recount) -> None:
    tally = Tally()
    tally.take([1, 2, 3, 4, 5], is_as_counted=True)

    assert compared(page, tally, is_for_next=lambda row_id, _: row_id > 7) == expected


def test_the_same_page_again_is_an_offset_that_is_ignored() -> None:
    walk = WholeWalk(is_wanted=lambda *_: True, is_ordered=True)

    walk.take(newest(1, 2, 3, total=9, limit=3))
    walk.take(newest(1, 2, 3, total=9, limit=3))

    assert not walk.is_complete
    assert walk.is_at_start, "a new pass"
