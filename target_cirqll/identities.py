"""By what a row of the input is known again: its key at the source, a match key, or its content.

An identity is a hash, so that the ledger holds nothing of a record.
"""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from target_cirqll.values import number_text

if TYPE_CHECKING:
    from collections.abc import Mapping


_OF_KIND = 8
"""So many letters at the end are those of all rows of the source that have the same key columns."""


def key_identity(key: Mapping[str, Any], *, source: str) -> str:
    """Identify a row by its key at the source; ``7`` and ``"7"`` are one key."""
    row = _hashed("key", source, {name: _text(value) for name, value in key.items()})
    return row[:-_OF_KIND] + _hashed("columns", source, sorted(key))[:_OF_KIND]


def are_two_rows(identity: str, other: str) -> bool:
    """Tell whether these are different keys in the same columns of one source."""
    return identity != other and identity[-_OF_KIND:] == other[-_OF_KIND:]


def match_identity(field: str, folded: str) -> str:
    """Identify a row by a value that tells records of its resource apart."""
    return _hashed("match", field, folded)


def content_identity(content: Mapping[str, Any], *, source: str) -> str:
    """Identify a row that has no key by all that it says, given as canonical texts."""
    return _hashed("content", source, {k: v for k, v in content.items() if v is not None})


def _hashed(*parts: object) -> str:
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _text(value: object) -> str:
    """Give one text for a number, whatever the type in which it came."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return number_text(value)
