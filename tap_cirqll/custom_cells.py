"""What a custom field's column holds for the values that came: one cell, or a reason for none.

Custom values often come as texts, whatever they are (MySQL has one column for all of them); a text
is converted where that says exactly the same. What was chosen is written by its label.
"""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cirqll_client.custom_fields import field_id
from cirqll_client.kinds import MOST_DIGITS, Kind
from cirqll_client.responses import Unreadable, decoded, encoded
from tap_cirqll.columns import Misfit, fitted
from tap_cirqll.inference import kind_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cirqll_client.timestamps import Timestamps

    Labels = Mapping[int, str]

_MOST_DIGITS_OF_INT = 18
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_MIDNIGHT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]00:00(:00(\.0+)?)?")
_TRUTH = {"1": True, "true": True, "0": False, "false": False}
_CHOSEN = {Kind.STRING, Kind.ARRAY, Kind.JSON}
"""Kinds of columns that hold labels."""
NO_LABELS: Labels = MappingProxyType({})


def cell(value: Any, kind: Kind, *, labels: Labels, timestamps: Timestamps) -> Any:  # noqa: ANN401 - JSON
    """Give the value as the column of a custom field takes it. Raises ``Misfit``.

    ``labels``: what can be chosen. A list is a list of choices; in a column of texts there is one.
    """
    labels = labels if kind in _CHOSEN else NO_LABELS
    if labels:
        value = _labelled(value, labels)
    if kind is Kind.ARRAY and not isinstance(value, list):
        value = None if value is None else _list(value, labels)
    if kind is Kind.STRING and isinstance(value, list) and len(value) == 1 and labels:
        value = value[0]
    if isinstance(value, str) and kind in _FROM_TEXT:
        value = _FROM_TEXT[kind](value)
    return fitted(value, kind, timestamps)


def cell_of(values: Iterable[Any], kind: Kind, *, labels: Labels, timestamps: Timestamps) -> Any:  # noqa: ANN401 - JSON
    """Give the cell for all values that one record has of a field. Raises ``Misfit`` for several.

    A null beside another value says nothing, and a value that comes twice is one.
    """
    cells = [cell(value, kind, labels=labels, timestamps=timestamps) for value in values]
    there = [one for one in cells if one is not None]
    if len({encoded(one) for one in there}) > 1:
        raise Misfit
    return there[0] if there else None


def kind_of_values(
    name: str, values: Iterable[Any], *, labels: Labels, timestamps: Timestamps
) -> Kind | None:
    """Give the kind of a column of which only the values tell; ``None`` if all are null."""
    there = [value for value in values if value is not None]
    if labels and there:
        chosen = [_labelled(value, labels) for value in there]
        return Kind.ARRAY if any(isinstance(one, list) for one in chosen) else Kind.STRING
    return kind_for(name, there, timestamps)


def _labelled(value: Any, labels: Labels) -> Any:  # noqa: ANN401 - JSON
    """Give labels for the ids of options. What is neither id nor label stays as it came.

    A text that is an option's label is that label, even if it is another one's id.
    """
    if isinstance(value, list):
        return [_labelled(one, labels) if not isinstance(one, list) else one for one in value]
    if isinstance(value, str) and value in labels.values():
        return value
    number = field_id(value)
    if number is not None and number in labels:
        return labels[number]
    chosen = _list_in(value)
    return value if chosen is None else _labelled(chosen, labels)


def _list(value: Any, labels: Labels) -> Any:  # noqa: ANN401 - JSON
    chosen = None if labels else _list_in(value)
    return [value] if chosen is None else chosen


def _list_in(value: object) -> list[Any] | None:
    """Give the list that a text of JSON says."""
    if not isinstance(value, str) or value[:1] != "[":
        return None
    try:
        said = decoded(value.encode("utf-8", "surrogatepass"))
    except Unreadable:
        return None
    return said if isinstance(said, list) else None


def _number(text: str) -> Any:  # noqa: ANN401 - JSON
    if not _NUMBER.fullmatch(text) or len(text) > MOST_DIGITS:
        return text
    number = Decimal(text)
    return (
        number
        if "." in text or text == "-0"
        else int(text)
        if len(text) <= _MOST_DIGITS_OF_INT
        else number
    )


def _boolean(text: str) -> bool | str:
    return _TRUTH.get(text, text)


def _date(text: str) -> str:
    """Take the midnight off that a column of times puts behind a day."""
    told = _MIDNIGHT.fullmatch(text)
    return told[1] if told else text


_FROM_TEXT: dict[Kind, Callable[[str], Any]] = {
    Kind.INTEGER: _number,
    Kind.NUMBER: _number,
    Kind.BOOLEAN: _boolean,
    Kind.DATE: _date,
}
