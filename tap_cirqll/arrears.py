"""What earlier runs could not read of the records, and is made up for: custom fields.

A server may refuse to bring them along for a while, or a scope may be missing. The rows that were
read meanwhile lack them, and no later change tells which rows these were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_client.errors import NotFound, RequestRefused, ScopeMissing
from cirqll_client.query import IndexQuery
from cirqll_client.resources import FIELD_VALUES
from tap_cirqll.bookmarks import begin_anew

if TYPE_CHECKING:
    from cirqll_client.client import CirqllClient
    from tap_cirqll.stream import CirqllStream

_LACKING = "without_custom_fields"
"""Stands in the bookmark of a stream whose newest rows may lack them."""
_REFUSALS = (NotFound, RequestRefused, ScopeMissing)


def note(bookmark: dict[str, Any]) -> None:
    """Write down that rows were delivered without their custom fields."""
    bookmark[_LACKING] = True


def settled(stream: CirqllStream, client: CirqllClient) -> bool:
    """Tell whether custom fields may be asked for; if they lacked, all rows are read again.

    One request, where they lacked. Raises any ``CirqllError`` but a refusal.
    """
    bookmark: dict[str, Any] = stream.stream_state
    if bookmark.get(_LACKING) is not True or not stream.shape().custom:
        return True
    try:
        client.index(stream.resource, IndexQuery(limit=1, relations=(FIELD_VALUES,)))
    except _REFUSALS:
        stream.logger.warning(
            "%s: Cirqll still refuses to bring custom fields along, so they are empty in the rows "
            "that changed since it does. Sign in with the scopes that it asks for, or deselect the "
            "columns of custom fields.",
            stream.name,
        )
        return False
    stream.logger.info(
        "%s: Cirqll brings custom fields along again, so all rows are read again.", stream.name
    )
    bookmark[_LACKING] = False
    begin_anew(bookmark)
    return True
