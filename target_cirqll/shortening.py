"""Questions made so short that the server takes their URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.errors import RequestRefused
from cirqll_client.refusals import is_too_long
from target_cirqll.questions import questions, url_length

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from cirqll_client.query import IndexQuery, Value
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from target_cirqll.questions import Question

    Ask = Callable[[Question], dict[int, Record]]

LONGEST_TARGET = 8_000
"""Characters of path and query. Servers take request lines of 8 kB by default (nginx:
``large_client_header_buffers``; Apache: ``LimitRequestLine``)."""
_SHORT = 1_000
"""A guess: a filter up to here is refused with 400 or 422 for what it says, not for its length."""
_SHORTEST = 100
"""Up to here no server can mean the filter that says that the URL is too long."""
_BESIDES = len("/api?limit=1000&order_by=id&show=&with=&filter=(,and,id:gt:4294967296)")


class Shortening:
    """Remembers for the run how long a filter may be."""

    def __init__(self) -> None:
        """Begin with what servers take by default."""
        self._longest = LONGEST_TARGET

    def answers(  # noqa: PLR0913 - what is asked, and how
        self,
        resource: Resource,
        name: str,
        values: Collection[Value],
        *,
        query: IndexQuery,
        most: int,
        ask: Ask,
        inexpressible: dict[Value, str] | None = None,
    ) -> Iterator[tuple[Question, dict[int, Record]]]:
        """Give each question about these values with its answer.

        What cannot be asked is added to ``inexpressible``. Raises what ``ask`` raises, a
        ``RequestRefused`` only if a shorter question would be refused as well.
        """
        reasons = {} if inexpressible is None else inexpressible
        left, shortened = set(values), LONGEST_TARGET
        while left:
            longest = min(self._longest, shortened, _room(resource, query))
            plan = questions(name, left, longest=longest, most=most)
            reasons.update(plan.inexpressible)
            left -= plan.inexpressible.keys()
            for question in plan.questions:
                try:
                    answer = ask(question)
                except RequestRefused as refusal:
                    shortened = _shorter(question, refusal)
                    break
                self._longest = min(self._longest, shortened)
                left -= set(question.values)
                yield question, answer


def _room(resource: Resource, query: IndexQuery) -> int:
    """Count the characters of the URL that are left for a filter."""
    others = (resource.path, ",".join(query.show), ",".join(query.relations))
    return LONGEST_TARGET - _BESIDES - sum(map(url_length, others))


def _shorter(question: Question, refusal: RequestRefused) -> int:
    """Give the length of the next filter to try; raise the refusal if it is not of the length."""
    length = url_length(question.condition)
    if length <= (_SHORTEST if is_too_long(refusal.status) else _SHORT):
        raise refusal
    return length // 2
