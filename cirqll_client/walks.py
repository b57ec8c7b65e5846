"""What ways to walk through an Index have in common; they decide and check, and do no I/O.

A walk gives the question for its next page, and takes the page: it checks that the server did as it
was asked, moves on, and hands out the rows. The first way is the best; each of the others asks less
of the server:

=========  ======================  ===============================================================
way        order                   asks for
=========  ======================  ===============================================================
changes    ``updated_at``, ``id``  what lies behind the last key (``key_walk``)
id         ``id``                  the same; changes are chosen on our side
whole      ``id``, if honoured     everything by offset, page overlapping page (``whole_walk``)
=========  ======================  ===============================================================
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress
from typing import Any, Literal

from cirqll_client.errors import RequestRefused
from cirqll_client.responses import Rows

WayName = Literal["changes", "id", "whole"]


class NotHonoured(Exception):
    """The server did not do as it was asked; the rows would not be safe."""


def clause_of(failure: NotHonoured | RequestRefused) -> str:
    """Say what a server did in place of what it was asked for."""
    if isinstance(failure, RequestRefused):
        return f"Cirqll refused it with {failure.status}"
    return str(failure)


def ids_of(rows: Rows) -> list[int]:
    """Give the ids. Raises ``NotHonoured`` where one is no whole number."""
    if not all(type(row_id) is int for row_id in rows.ids):
        msg = "a record came without a whole number as its id"
        raise NotHonoured(msg)
    return rows.ids


IsWanted = Callable[[Any, int], bool]
"""Tells of a row by the time of its last change, as it came, and its id."""


def wanted(rows: Rows, is_wanted: IsWanted) -> Rows:
    """Choose rows."""
    chosen = list(map(is_wanted, rows.times, rows.ids))
    return Rows(*(list(compress(each, chosen)) for each in (rows.rows, rows.ids, rows.times)))
