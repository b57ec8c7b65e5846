"""Control questions: that a filter finds nothing is believed only if it finds what is there.

How values are quoted in a filter is likely, not certain (cirqll-api.md, filter), nor is which
fields can be filtered on. A filter that is misread finds nothing, and all rows would be created
once more. So before rows are taken for absent, a record that is there must have been found in the
same way.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cirqll_client.errors import RequestRefused
from cirqll_client.query import Condition, Group, IndexQuery, Order, all_of, any_of
from cirqll_client.walks import NotHonoured
from target_cirqll.asking import rows_by_id
from target_cirqll.questions import needs_quotes, questions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cirqll_client.query import Value
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from target_cirqll.asking import Asking

_SAMPLE = 20
_MOST_SAMPLES = 3
"""So often is a record looked for by which a control is possible, in a run."""
_TRIES = 2
"""A record may be changed between two questions, but hardly twice."""
_LONGEST = 1_000
_PROOF = 2
"""So many values found by one filter prove that it is not only its first one that counts."""


class Controls:
    """What the filters of a run were seen to find, by resource, field and form of the values."""

    def __init__(self, asking: Asking) -> None:
        """Ask what has to be asked in the same way as everything else."""
        self._asking = asking
        self._understood: set[tuple[str, str, bool]] = set()
        self._samples = Counter[tuple[str, str, bool]]()

    def check(self, resource: Resource, field: str, matches: Mapping[Value, list[Record]]) -> None:
        """Check the answer to one question. Raises ``NotHonoured`` and any ``CirqllError``.

        Costs nothing where nothing is absent, or where values of the same form were found.
        """
        for is_quoted in (False, True):
            form = (resource.name, field, is_quoted)
            there = [bool(matches[value]) for value in matches if needs_quotes(value) is is_quoted]
            if sum(there) >= _PROOF:
                self._understood.add(form)
            if not all(there) and form not in self._understood:
                self._ask(resource, field, is_quoted=is_quoted)

    def _ask(self, resource: Resource, field: str, *, is_quoted: bool) -> None:
        form = (resource.name, field, is_quoted)
        if self._samples[form] >= _MOST_SAMPLES:
            return
        self._samples[form] += 1
        for _ in range(_TRIES):
            known = self._known(resource, field, is_quoted=is_quoted)
            if known is None:
                return
            if self._finds(resource, field, *known):
                self._understood.add(form)
                return
        raise NotHonoured

    def _known(
        self, resource: Resource, field: str, *, is_quoted: bool
    ) -> tuple[int, Value] | None:
        """Give a new record with a value of this form; ``None`` where there seems to be none."""
        newest = IndexQuery(
            limit=_SAMPLE, order_by=(Order("id", descending=True),), show=("id", field)
        )
        try:
            page = self._asking.page(resource, newest)
        except RequestRefused:
            return None
        records = rows_by_id(resource, page).items()
        known = ((record_id, record.get(field)) for record_id, record in records)
        return _first_usable(known, field, is_quoted=is_quoted)

    def _finds(self, resource: Resource, field: str, record_id: int, value: Value) -> bool:
        asked = all_of(Condition("id", "eq", record_id), _second_of_two(field, value))
        page = self._asking.page(resource, IndexQuery(filter=asked, show=("id", field)))
        return record_id in rows_by_id(resource, page)


def _first_usable(
    known: Iterable[tuple[int, object]], field: str, *, is_quoted: bool
) -> tuple[int, Value] | None:
    for record_id, value in known:
        if (
            isinstance(value, (int, str))
            and not isinstance(value, bool)
            and needs_quotes(value) is is_quoted
            and questions(field, [value], longest=_LONGEST, most=1).questions
        ):
            return record_id, value
    return None


def _second_of_two(field: str, value: Value) -> Condition | Group:
    """Ask for a value behind another one, so that it counts that all of them are heard."""
    if needs_quotes(value):
        return any_of(Condition("id", "eq", 0), Condition(field, "eq", value))
    return Condition(field, "in", ("0", value))
