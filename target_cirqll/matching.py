"""Which records have which of the values that were asked for."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from cirqll_client.kinds import kind_of
from target_cirqll.values import canonical_for, folded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cirqll_client.query import Value
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from cirqll_client.timestamps import Timestamps

_STROKES = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "æ": "ae"})


class Matching:
    """Compares one field of records with values that were asked for."""

    def __init__(self, resource: Resource, field: str, timestamps: Timestamps) -> None:
        """Compare as the field's kind asks for; one that no schema knows is text."""
        self.field = field
        kind = kind_of(resource.schema["properties"].get(field, {}))
        self._text = canonical_for(kind, timestamps)

    def says_something(self, value: Value) -> bool:
        """Tell whether the value is more than blanks: those are like no value at all."""
        return self._key(value) is not None

    def by_value(
        self, records: Iterable[Record], values: Collection[Value]
    ) -> dict[Value, list[Record]]:
        """Give for each value the records that have it; values that only differ in case share."""
        by_key: dict[str | None, list[Record]] = {}
        for record in records:
            by_key.setdefault(self._key(record.get(self.field)), []).append(record)
        return {value: list(by_key.get(self._key(value), ())) for value in values}

    def all_asked_for(self, records: Iterable[Record], values: Collection[Value]) -> bool:
        """Tell whether a filter by these values may have given these records.

        Loosely: a database compares texts by collations that know neither accents nor trailing
        blanks, some of them no emoji either. What it takes for equal is just no match.
        """
        asked = {self._loosely(value) for value in values}
        return all(self._loosely(record.get(self.field)) in asked for record in records)

    def _key(self, value: Any) -> str | None:  # noqa: ANN401 - JSON
        text = self._text(value)
        return None if text is None else folded(text)

    def _loosely(self, value: Any) -> str | None:  # noqa: ANN401 - JSON
        key = self._key(value)
        return None if key is None else _without_marks(key)


def _without_marks(text: str) -> str:
    """Keep the plain letters and digits of a text."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_STROKES))
    return "".join(one for one in plain.casefold() if one.isalnum())
