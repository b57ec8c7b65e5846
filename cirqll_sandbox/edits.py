"""Changes that other people make to rows while somebody reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_sandbox.exact_json import SpelledNumber

if TYPE_CHECKING:
    from random import Random

    from cirqll_sandbox.tables import Row, Table

_EDITABLE = ("description", "body", "value", "name", "subject", "function", "url")


def edited(table: Table, rows: int, random: Random) -> list[int]:
    """Change this many different rows, or all there are; their ids."""
    ids = random.sample(table.ids, min(rows, len(table.ids)))
    for id_ in ids:
        row = table.find(id_) or {}
        table.update(id_, **_edit(row, random))
    return ids


def _edit(row: Row, random: Random) -> Row:
    name = next((name for name in _EDITABLE if name in row), None)
    if name is None:
        return {}
    before = str(row[name] or "").rpartition(" (bijgewerkt ")[0] or str(row[name] or "")
    return {name: f"{before} (bijgewerkt {random.randrange(10**6):06})"}


def undocumented(number: int) -> dict[str, Any]:
    """Fields that nobody documented, the same for the same number: plain, odd, and nested."""
    return {
        "lead_score": SpelledNumber(f"{number % 100}.{number % 7}0"),
        "is_vip": number % 9 == 0,
        "labels": ["nieuwsbrief", "beurs 2023"][: number % 3],
        "preferences": {"language": "nl", "channels": {"email": True, "post": number % 2 == 0}},
        "legacy_code": None if number % 4 == 0 else f"X-{number:06}",
    }
