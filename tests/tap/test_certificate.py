"""What is said of a stream, by what came and what was counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from cirqll_client.listing import Differences
from cirqll_client.recount import Recount
from cirqll_client.tally import Tally
from tap_cirqll.certificate import (
    Certificate,
    SecondLook,
    certificate,
    joined,
    needs_recount,
)
from tap_cirqll.compared import Compared, Known
from tap_cirqll.notices import check_strictly, not_complete

QUIET = Tally(ids=BitMap64(range(1, 6)), expected=5, rows=5)
MOVED = replace(QUIET, is_quiet=False)
LOOKED = SecondLook(Recount(5))


def known(*unlisted: int) -> Known:
    """Five rows that somebody has."""
    return Known(BitMap64(range(1, 6)), BitMap64(), BitMap64(unlisted), before=5)


def compared(*, unexplained: int = 0, counted: int = 5, **more: Any) -> Compared:
    """A comparison in which so many were counted."""
    differences = Differences([], [], 5, counted, unexplained=unexplained)
    return Compared(differences, **more)


@pytest.mark.parametrize(
    ("tally", "look", "sentence"),
    [
        (QUIET, None, "complete: 5 rows read, as many as Cirqll counts"),
        (Tally(expected=0), None, "complete: 0 rows read, as many as Cirqll counts"),
        (MOVED, LOOKED, "complete: 5 rows read, as many as Cirqll counts"),
        (
            MOVED,
            SecondLook(Recount(6, changed_during=2, gone=1)),
            (
                "complete: 5 rows read, 2 changed meanwhile (for the next run), 1 deleted "
                "meanwhile, 6 counted at the end"
            ),
        ),
        (
            MOVED,
            SecondLook(Recount(6, missing_ids=[6]), read_again=1),
            "complete: 5 rows read, 1 missed at first and read again, 6 counted at the end",
        ),
        (
            MOVED,
            SecondLook(Recount(6, uncertain=1), missed=1),
            "incomplete: Cirqll counts 1 row that did not come; 5 rows read, 6 counted at the end",
        ),
        (
            MOVED,
            SecondLook(Recount(6, uncertain=1), missed=None),
            (
                "unknown: rows that were missed could not be read; 5 rows read, as many as Cirqll "
                "counts"
            ),
        ),
        (
            replace(QUIET, lacking=1, expected=6),
            None,
            "incomplete: Cirqll counts 1 row that it does not give",
        ),
        (
            replace(QUIET, repeated=2),
            None,
            "incomplete: Cirqll gave 2 rows more than once; 5 rows read, as many as Cirqll counts",
        ),
        (replace(QUIET, expected=4), None, "incomplete: Cirqll counts 4 and gave 5 rows"),
        (replace(QUIET, expected=6), None, "incomplete: Cirqll counts 6 and gave 5 rows"),
        (
            replace(QUIET, expected=None),
            None,
            "unknown: Cirqll does not tell how many rows there are",
        ),
        (
            MOVED,
            SecondLook(Recount(None)),
            "unknown: Cirqll perhaps counts the rows of a page, not all that there are",
        ),
        (
            MOVED,
            None,
            "unknown: rows changed while it was read, and could not be counted again",
        ),
        (None, None, "unknown: nothing was counted"),
    ],
)
def test_what_came_is_compared_with_what_is_counted(
    tally: Tally | None, look: SecondLook | None, sentence: str
) -> None:
    assert certificate(tally, look, None).sentence == sentence


@pytest.mark.parametrize(
    ("came_of_it", "unlisted", "clause"),
    [
        (compared(), (), "complete: {}; 5 in the account, and you have them all"),
        (compared(counted=0), (), "complete: {}; none in the account"),
        (compared(is_by_reading=True), (), "complete: {}"),
        (
            Compared(),
            (),
            "complete: {}; from now on deleted rows are found; those of before are not",
        ),
        (
            Compared(reason="it could not be compared: Cirqll answered with 500. Try later."),
            (),
            (
                "unknown: the account is not known, since it could not be compared: Cirqll "
                "answered with 500. Try later; {}"
            ),
        ),
        (
            compared(waiting=2, reason="that is all of them"),
            (),
            "incomplete: 2 rows gone and not marked, since that is all of them; {}",
        ),
        (
            compared(waiting=1),
            (),
            (
                "complete: {}; 1 deleted meanwhile, for the next run to mark; 5 in the account, "
                "and you have them all"
            ),
        ),
        (
            compared(),
            (3,),
            (
                "incomplete: Cirqll shows 1 row that it does not list, so changes there are "
                "not seen; {}; 5 in the account, and you have them all"
            ),
        ),
        (compared(unexplained=1), (3,), "incomplete: Cirqll shows 1 row that it does not list, "),
        (
            compared(unexplained=1),
            (),
            "incomplete: Cirqll counts 1 more in the account than it lists; {}",
        ),
        (
            compared(unexplained=-2),
            (),
            "incomplete: Cirqll counts 2 fewer in the account than it lists; {}",
        ),
    ],
)
def test_what_somebody_has_is_compared_with_the_account(
    came_of_it: Compared, unlisted: tuple[int, ...], clause: str
) -> None:
    found = certificate(QUIET, None, came_of_it, known=known(*unlisted))

    window = "5 rows read, as many as Cirqll counts"
    assert found.sentence.startswith(clause.format(window))
    assert found.sentence.count("Cirqll counts") <= len(["the window", "the account"])


@pytest.mark.parametrize(
    ("tally", "look"),
    [
        (replace(QUIET, lacking=2, expected=7), None),
        (MOVED, SecondLook(Recount(7, uncertain=2), missed=2)),
    ],
)
def test_rows_that_do_not_come_are_told_once(tally: Tally, look: SecondLook | None) -> None:
    found = certificate(tally, look, compared(unexplained=2), known=known())

    assert found.verdict == "incomplete"
    assert len([one for one in found.reasons if "2 " in one]) == 1
    assert "you have them all" not in found.sentence


@pytest.mark.parametrize(
    ("tally", "is_needed"),
    [
        (None, False),
        (QUIET, False),
        (MOVED, True),
        (replace(MOVED, expected=None), False),
        (replace(MOVED, lacking=1), False),
    ],
)
def test_a_second_count_is_asked_only_where_it_decides(
    tally: Tally | None, *, is_needed: bool
) -> None:
    assert needs_recount(tally) is is_needed


@given(
    distinct=st.integers(0, 9),
    expected=st.none() | st.integers(0, 9),
    is_quiet=st.booleans(),
    lacking=st.integers(0, 2),
    repeated=st.integers(0, 2),
    missed=st.none() | st.integers(0, 2),
)
def test_it_is_complete_only_where_everything_counted_came(  # noqa: PLR0913 - all that may be
    *,
    distinct: int,
    expected: int | None,
    is_quiet: bool,
    lacking: int,
    repeated: int,
    missed: int | None,
) -> None:
    tally = Tally(
        ids=BitMap64(range(distinct)),
        expected=expected,
        is_quiet=is_quiet,
        lacking=lacking,
        repeated=repeated,
    )
    look = SecondLook(Recount(distinct), missed=missed) if needs_recount(tally) else None

    found = certificate(tally, look, None)

    came_once = expected is not None and not (lacking or repeated)
    is_proven = missed == 0 if look else is_quiet and distinct == expected
    assert (found.verdict == "complete") == (came_once and is_proven)
    assert (found.verdict == "incomplete") == bool(
        lacking
        or repeated
        or (look and missed)
        or (expected is not None and is_quiet and distinct != expected)
    )


def test_a_stream_within_others_is_as_good_as_the_worst_of_them() -> None:
    good, bad = Certificate("complete"), Certificate("incomplete", ("1 did not come", "5 read"))
    unread = Certificate("unknown", ("it was not read to its end",))

    assert joined({"tasks": good}).sentence == "complete: came along with tasks"
    assert joined(dict.fromkeys("abcd", good)).sentence == "complete: came along with 4 streams"
    assert joined({"tasks": good, "roles": unread}).sentence == (
        "unknown: roles: it was not read to its end"
    )
    assert joined({"tasks": bad, "roles": unread}).sentence == "incomplete: tasks: 1 did not come"


def test_numbers_that_nobody_counted_are_none() -> None:
    facts = Certificate("complete").facts()

    assert {name for name, value in facts.items() if value is not None} == {
        "verdict",
        "reasons",
        "sentence",
    }


def test_the_warning_says_what_and_what_to_do_next() -> None:
    told = not_complete("notes", Certificate("incomplete", ("Cirqll counts 4 and gave 5 rows",)))

    assert told == (
        "notes is incomplete: Cirqll counts 4 and gave 5 rows. Run again; if it stays so, look at "
        "`cirqll doctor`, and compare the warehouse by `cirqll verify`."
    )


def test_strictly_only_what_is_incomplete_is_an_error() -> None:
    check_strictly({"notes": Certificate("complete"), "tasks": Certificate("unknown")})
    with pytest.raises(Exception, match="Not all agrees with what Cirqll counts: roles, for"):
        check_strictly({"notes": Certificate("complete"), "roles": Certificate("incomplete")})
