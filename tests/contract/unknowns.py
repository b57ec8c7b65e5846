"""What cirqll-api.md does not know, as far as exchanges settle it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tests.contract.questions import LARGEST_PAGE
from tests.contract.record_facts import records_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.contract.recordings import Exchange


def settled_by(exchanges: Iterable[Exchange]) -> list[str]:
    """Say what they tell, each thing once."""
    asked = (_largest_page, _time_without_quotes, _zone)
    said = [words for one in exchanges for each in asked for words in each(one)]
    return list(dict.fromkeys(said))


def _largest_page(one: Exchange) -> Iterator[str]:
    if one.query.get("limit") != str(LARGEST_PAGE):
        return
    told = one.said.get("limit") if one.is_page and isinstance(one.said, dict) else None
    yield f"a page of {LARGEST_PAGE} is answered {one.status}, with the limit {told}"


def _time_without_quotes(one: Exchange) -> Iterator[str]:
    condition = one.query.get("filter", "")
    if condition.startswith("updated_at:gte:") and '"' not in condition:
        yield f"a time without quotes in a filter is answered {one.status}"


def _zone(one: Exchange) -> Iterator[str]:
    """A change cannot lie ahead of the server's clock, unless it is written in another zone."""
    if "date" not in one.headers:
        return
    now = parsedate_to_datetime(one.headers["date"]).astimezone(UTC).replace(tzinfo=None)
    for resource, record in records_in(one):
        changed = _time(record.get("updated_at"))
        if changed and changed > now:
            yield f"an updated_at of {resource.name} lies ahead of the clock: it is not in UTC"


def _time(value: object) -> datetime | None:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - it has no zone
    except ValueError:
        return None
