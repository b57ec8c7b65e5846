"""Whether a value fits its column as it is, told by one look at its bytes; never wrongly yes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cirqll_client.kinds import MOST_DIGITS, MOST_LEVELS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_SCALAR = re.compile(rb'["tfn]|-?\d{1,300}(\.\d{1,300})?\Z')
_LARGE_EXPONENT = re.compile(rb"\d[eE][+-]?\d{3}")
_NUMBER = re.compile(rb"-?\d{1,300}(\.\d{1,300})?|null")


def _is_storable(raw: bytes) -> bool:
    """Tell that ``storable`` would leave the value as it is. Texts were looked at by the page."""
    return _SCALAR.match(raw) is not None or (
        len(raw) < MOST_DIGITS
        and raw.count(b"{") + raw.count(b"[") <= MOST_LEVELS
        and not _LARGE_EXPONENT.search(raw)
    )


FITS: dict[Kind | None, Callable[[bytes], object]] = {
    Kind.NUMBER: _NUMBER.fullmatch,
    Kind.BOOLEAN: {b"true", b"false", b"null"}.__contains__,
    Kind.OBJECT: lambda raw: raw == b"null" or (raw[:1] == b"{" and _is_storable(raw)),
    Kind.ARRAY: lambda raw: raw == b"null" or (raw[:1] == b"[" and _is_storable(raw)),
    Kind.JSON: _is_storable,
    None: _is_storable,
}
"""By the kind of the column, ``None`` for fields without one."""
