"""What came of a question: rows, a record, or nothing, each as far as it can be read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from cirqll_client import responses

if TYPE_CHECKING:
    from datetime import datetime

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from cirqll_client.transport import Answer

FailureKind = Literal[
    "forbidden",
    "unauthenticated",
    "missing",
    "refused",
    "failing",
    "moved",
    "web_page",
    "no_answer",
    "too_many",
    "unreadable",
    "odd",
    "not_asked",
]


@dataclass(frozen=True, slots=True)
class Failed:
    """Why nothing came. It never holds the API's own words, which may repeat what a record says."""

    kind: FailureKind
    status: int | None = None

    @property
    def words(self) -> str:
        """Tell it, to go on with in a sentence."""
        told = f" ({self.status})" if self.status else ""
        return {
            "forbidden": f"is not allowed{told}",
            "unauthenticated": f"is answered as if nobody were signed in{told}",
            "missing": f"is answered as not found{told}",
            "refused": f"is refused{told}",
            "failing": f"ends in an error of the server{told}",
            "moved": f"is sent elsewhere{told}",
            "web_page": f"is answered by a web page{told}",
            "no_answer": "gets no whole answer",
            "too_many": f"is put off: too many requests{told}",
            "unreadable": "is answered by what is no JSON of the API",
            "odd": f"is answered in a way nobody knows{told}",
            "not_asked": "was not asked: the number of requests was used up",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Listing:
    """What an Index answered."""

    rows: list[Record]
    limit: int | None = None
    """The page size in force, as it is told."""
    total: int | None = None
    is_whole: bool = False
    """No envelope came."""
    server_time: datetime | None = None

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Shown:
    """What Show answered."""

    record: Record
    is_wrapped: bool
    """It stood within ``data``."""


def listing(answer: Answer, *, resource: Resource) -> Listing:
    """Read the answer of an Index. Raises ``responses.Unreadable``."""
    plain = partial(
        responses.plain_rows,
        bookmark_field=resource.bookmark_field,
        key_without_id=resource.key_without_id,
    )
    page = responses.page(answer.body, headers=answer.headers, read_rows=plain)
    return Listing(page.rows.rows, page.limit, page.total, page.is_whole, page.server_time)


def shown(answer: Answer) -> Shown:
    """Read the answer of Show. Raises ``responses.Unreadable``."""
    record = responses.record(answer.body)
    whole = responses.decoded(answer.body)
    return Shown(record, is_wrapped=record is not whole and record != whole)
