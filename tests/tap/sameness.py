"""Whether two values of JSON are the same, and whether one was kept in another."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def is_same(one: Any, other: Any) -> bool:
    """Equality of JSON: numbers by value, but a boolean is no number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def is_kept(kept: Any, came: Any) -> bool:
    """Tell whether what came can be found again in what was kept of it."""
    if is_same(kept, came):
        return True
    if isinstance(kept, dict) and isinstance(came, dict):
        return all(is_kept(entry_of(kept, name), value) for name, value in came.items())
    if isinstance(kept, list) and isinstance(came, list):
        return len(kept) == len(came) and all(map(is_kept, kept, came))
    return isinstance(kept, str) and _is_written_as(kept, came)


def _is_written_as(text: str, came: Any) -> bool:
    if isinstance(came, str):
        return bool(json.loads(f'"{text}"') == came)
    if isinstance(came, (dict, list)):
        return is_same(json.loads(text), json.loads(json.dumps(came, default=str)))
    return bool(Decimal(text) == came)


def entry_of(kept: dict[str, Any], name: str) -> Any:
    """Give what was kept under a name, which may be written with escapes."""
    return kept[name] if name in kept else kept[json.dumps(name)[1:-1]]
