"""Reading from a server that understands filters differently, or not."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from cirqll_client.reading import Beginning
from tests.client.meddling import meddled
from tests.reading_fixtures import NOON, Source

if TYPE_CHECKING:
    from collections.abc import Callable


def without_or(text: str) -> str:
    """Hear only what stands before the first ``or``."""
    return re.sub(r"\((.*?),or,.*\)", r"\1", text)


def nothing(_: str) -> str:
    """Find nothing, whatever was asked for."""
    return "id:lt:0"


def inclusive(text: str) -> str:
    """Take ``gt`` for ``gte``."""
    return text.replace(":gt:", ":gte:")


@pytest.mark.parametrize("total", ["true", "missing", "lying"])
@pytest.mark.parametrize("mishear", [without_or, nothing, inclusive])
@pytest.mark.parametrize("seconds_apart", [0, 0.25])
def test_a_misunderstood_filter_costs_a_warning_and_no_row(
    crm: Source, mishear: Callable[[str], str], total: str, seconds_apart: float
) -> None:
    crm.begin(page_maximum=10, total_echo=total)
    ids = crm.fill(35, seconds_apart=seconds_apart)

    with meddled(crm.sandbox, mishear) as url, closing(Source(crm.sandbox, url)) as misheard:
        outcome = misheard.read()

    assert set(outcome.ids) == set(ids)
    (warning,) = outcome.warnings
    assert warning.startswith("customers could not be read by time of change: ")


def by_date(text: str) -> str:
    """Compare dates only: what is later on the same day is not later."""
    return re.sub(r':gt:"(\S+) [^"]*"', r':gt:"\1 23:59:59"', text)


@pytest.mark.parametrize("is_incremental", [False, True])
def test_a_filter_that_compares_only_dates_is_noticed(
    crm: Source,
    is_incremental: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(65, seconds_apart=3 * 3600)
    start = Beginning(bookmark=NOON - timedelta(days=30)) if is_incremental else None

    with meddled(crm.sandbox, by_date) as url, closing(Source(crm.sandbox, url)) as misheard:
        outcome = misheard.read(start)

    assert set(outcome.ids) == set(ids)
    (warning,) = outcome.warnings
    assert "its filter passed over rows that are there" in warning


@pytest.mark.parametrize("mishear", [without_or, nothing])
def test_a_filter_that_was_understood_in_the_last_run_is_not_trusted_in_this_one(
    crm: Source, mishear: Callable[[str], str]
) -> None:
    crm.begin(page_maximum=10)
    ids = crm.fill(35, seconds_apart=0)
    first = crm.read(pages=2)

    with meddled(crm.sandbox, mishear) as url, closing(Source(crm.sandbox, url)) as misheard:
        second = misheard.read(first.beginning)

    assert {*first.ids, *second.ids} == set(ids)
    assert len(second.warnings) == 1


def test_a_filter_that_finds_nothing_since_the_bookmark_is_noticed(crm: Source) -> None:
    crm.fill(5)
    first = crm.read()
    crm.sandbox.clock.move(10)
    crm.customers.update(2, name="edited")

    with meddled(crm.sandbox, nothing) as url, closing(Source(crm.sandbox, url)) as misheard:
        second = misheard.read(first.beginning)

    assert set(second.ids) == {5, 2}
    assert "its filter did not find rows that are there" in second.warnings[0]
