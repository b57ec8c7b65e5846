"""The rows of the loopback server: rendered JSON whose keys and times follow from their position.

The row at position p (from 0) has the id p + 1. Three rows at a time share one `updated_at`, so the
order (updated_at, id) is the order of the ids, and the position behind any key is arithmetic.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

Fields = Literal["documented", "undocumented"]

BLOCK_ROWS: Final = 1000
BLOCKS_KEPT: Final = 200
ROWS_PER_TIME: Final = 3
SECONDS_BETWEEN_TIMES: Final = 7
FIRST_UPDATE: Final = datetime(2020, 1, 1, tzinfo=UTC)
FIRST_CREATION: Final = datetime(2019, 1, 1, tzinfo=UTC)

# Texts are escaped as PHP's json_encode does by default: `\u00eb` and `\/`.
_DESCRIPTION: Final = (
    r"Levert brood \u0026 banket aan caf\u00e9s in de regio.\nBelt liever dan te mailen. "
)

_DOCUMENTED: Final = (
    r'{"id":%(id)d,"name":"Bakkerij De Vri\u00ebs %(id)d B.V.",'
    r'"email":"info%(id)d@devries.example",'
    r'"phone":"+31 20 555 %(short)04d","website":"https:\/\/www.devries%(id)d.example",'
    r'"description":"%(description)s","coc_number":"%(id)08d","vat_number":"NL%(id)09dB01",'
    r'"address":{"street":"Dorpsstraat","number":"%(small)d","zipcode":"1234 AB","city":"Delft"},'
    r'"user_id":%(small)d,"origin_id":null,"import_id":%(id)d,"archived_at":null,'
    r'"created_at":"%(created)s","updated_at":"%(updated)s"'
)
_UNDOCUMENTED: Final = (
    r',"number":"K%(id)06d","type":"company","language":"nl","payment_term":30,"discount":2.5,'
    r'"credit_limit":%(id)d.25,"is_supplier":false,"newsletter":true,'
    r'"iban":"NL91ABNA%(id)010d","invoice_email":"factuur%(id)d@devries.example",'
    r'"last_contact_at":"%(created)s","labels":["horeca","noord"]'
)
_ANY_RESOURCE: Final = (
    r'{"id":%(id)d,"name":"Dossier %(id)d","description":"%(description)s","user_id":%(small)d,'
    r'"created_at":"%(created)s","updated_at":"%(updated)s"'
)
# About 1.2 kB for a customer of either kind.
_TEMPLATES: Final = {
    "documented": _DOCUMENTED.replace("%(description)s", _DESCRIPTION * 8) + "}",
    "undocumented": _DOCUMENTED.replace("%(description)s", _DESCRIPTION * 5) + _UNDOCUMENTED + "}",
    "any": _ANY_RESOURCE.replace("%(description)s", _DESCRIPTION) + "}",
}


def undocumented_names() -> set[str]:
    """Name the fields of a customer that Cirqll does not document."""
    documented, both = (json.loads(row(kind, 0)) for kind in ("documented", "undocumented"))
    return set(both) - set(documented)


def updated_at(position: int) -> datetime:
    """Give the `updated_at` of the row at a position."""
    return FIRST_UPDATE + timedelta(seconds=position // ROWS_PER_TIME * SECONDS_BETWEEN_TIMES)


def first_since(time: datetime) -> int:
    """Give the position of the first row updated at `time` or later."""
    groups_before = -(-(time - FIRST_UPDATE) // timedelta(seconds=SECONDS_BETWEEN_TIMES))
    return max(groups_before, 0) * ROWS_PER_TIME


def first_behind(time: datetime, identifier: int) -> int:
    """Give the position of the first row that lies behind the key (time, identifier)."""
    first_at, first_later = first_since(time), first_since(time + timedelta(seconds=1))
    return min(max(identifier, first_at), first_later)


def page(kind: str, start: int, stop: int) -> bytes:
    """Give the rows from `start` up to `stop`, joined by commas."""
    blocks = range(start // BLOCK_ROWS, -(-stop // BLOCK_ROWS))
    return b",".join(
        row
        for block in blocks
        for row in _block(kind, block)[
            max(start - block * BLOCK_ROWS, 0) : max(stop - block * BLOCK_ROWS, 0)
        ]
    )


def render(kind: str, count: int) -> None:
    """Render the first rows, as many as are kept, ahead of the first request."""
    for block in range(min(-(-count // BLOCK_ROWS), BLOCKS_KEPT)):
        _block(kind, block)


@lru_cache(maxsize=BLOCKS_KEPT)
def _block(kind: str, number: int) -> list[bytes]:
    first = number * BLOCK_ROWS
    return [row(kind, position) for position in range(first, first + BLOCK_ROWS)]


def row(kind: str, position: int) -> bytes:
    """Give the row at a position."""
    identifier = position + 1
    values = {
        "id": identifier,
        "short": identifier % 10_000,
        "small": identifier % 300 + 1,
        "created": _text(FIRST_CREATION + timedelta(seconds=identifier * 97)),
        "updated": _text(updated_at(position)),
    }
    return (_TEMPLATES[kind] % values).encode()


def _text(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"
