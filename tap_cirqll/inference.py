"""What kind of column a field gets that nobody documented, told from the values that bring it.

A column's type can never change: loaders stop there. So the kind is the widest of those that the
values look like, and whatever comes later and does not fit is kept in ``_nonconforming``.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cirqll_client.kinds import Kind, is_date
from tap_cirqll.columns import Misfit, fitted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.timestamps import Timestamps

_WHOLE_BY_NAME = re.compile(r".+(_id|_count)", re.IGNORECASE)
"""Every ``x_id`` is an integer, and so is a count (cirqll-api.md, Values and count)."""
_ZERO_DATE = re.compile(r"0000-00-00( 00:00:00)?")
"""What MySQL has for no date; it tells that the others are dates."""


def kind_for(name: str, values: Iterable[Any], timestamps: Timestamps) -> Kind | None:
    """Give the kind of column for a field with these values of JSON; ``None`` if all are null.

    A whole number may have decimals tomorrow, so it is a number, which holds both exactly. Texts
    are times or days only if all of them are. Values that disagree otherwise are kept as JSON,
    which holds anything.
    """
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, str) for value in there):
        return _kind_of_texts(there, timestamps)
    kinds = {_kind(name, value) for value in there}
    if kinds == {Kind.INTEGER, Kind.NUMBER}:
        return Kind.NUMBER
    return Kind.JSON if len(kinds) > 1 else next(iter(kinds), None)


def _kind(name: str, value: object) -> Kind:
    match value:
        case bool():
            return Kind.BOOLEAN
        case int() if _WHOLE_BY_NAME.fullmatch(name):
            return Kind.INTEGER
        case int() | Decimal():
            return Kind.NUMBER
        case _:
            return Kind.JSON


def _kind_of_texts(texts: Iterable[str], timestamps: Timestamps) -> Kind:
    dates = [text for text in texts if not _ZERO_DATE.fullmatch(text)]
    if dates and all(map(is_date, dates)):
        return Kind.DATE
    return Kind.TIME if dates and all(_is_time(text, timestamps) for text in dates) else Kind.STRING


def _is_time(text: str, timestamps: Timestamps) -> bool:
    try:
        fitted(text, Kind.TIME, timestamps)
    except Misfit:
        return False
    return True
