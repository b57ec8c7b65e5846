"""Undocumented fields that change over time: what a record has of them in which epoch.

A pure function of the seed, the resource, the id of the row and the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from cirqll_sandbox import odd_values as of
from cirqll_sandbox.odd_values import ABSENT
from cirqll_sandbox.resources import ENDPOINTS, RESOURCES

if TYPE_CHECKING:
    from cirqll_sandbox.odd_values import Maker

LATE_FIELD = "appears_late"
"""The field that one row only has."""

_SHARE_OF_NULLS = 0.1
_LONG = "a_field_whose_name_is_longer_than_what_postgresql_keeps_of_a_name"
_CAREERS: dict[str, tuple[Maker, ...]] = {
    # What was of one kind becomes of another.
    "score": (of.whole, of.whole, of.decimal, of.text_like_number, of.text, of.whole),
    "rating": (of.whole, of.decimal, of.exact),
    "margin": (of.decimal, of.whole, of.text),
    "preference": (of.text, of.mapping, of.text, of.listing),
    "labels": (of.mapping, of.listing, of.listing, of.empty_nest, of.text),
    "channels": (of.listing, of.mapping, of.truth),
    "is_vip": (of.truth, of.bit, of.truth, of.text, of.whole),
    "has_newsletter": (of.bit, of.truth, of.text_like_number),
    "legacy_id": (of.whole, of.text_like_number, of.large),
    "visits_count": (of.whole, of.decimal, of.null, of.whole),
    "anything": (of.any_of(of.whole, of.text, of.truth, of.mapping, of.listing, of.null),),
    "mood": (of.any_of(of.text, of.empty_text, of.null), of.any_of(of.whole, of.text)),
    # Dates, and what stands in their place.
    "churned_at": (of.null, of.null, of.null, of.moment),
    "renewed_on": (of.null, of.null, of.date, of.date, of.moment),
    "migrated_at": (of.moment, of.zero_moment, of.moment, of.text),
    "founded_on": (of.date, of.zero_date, of.date_of_any_form),
    "planned": (of.any_of(of.date, of.moment), of.whole),
    "delivered_at": (of.moment, of.date_of_any_form, of.moment),
    # Values at the edge of their kind.
    "ledger_number": (of.whole, of.large, of.large),
    "exact_amount": (of.decimal, of.exact),
    "house_code": (of.text_like_number, of.text, of.whole),
    "nickname": (of.any_of(of.empty_text, of.text), of.empty_text),
    "essay": (of.long_text, of.text),
    "tree": (of.deep, of.mapping, of.deep),
    "matrix": (of.listing, of.deep, of.empty_nest),
    "extras": (of.empty_nest, of.mapping, of.null),
    "always_null": (of.null,),
    # What comes and goes.
    "gone_soon": (of.text, of.text, of.absent, of.absent),
    "gone_and_back": (of.whole, of.absent, of.text, of.absent),
    "comes_second": (of.absent, of.whole, of.decimal),
    "comes_later": (of.absent, of.absent, of.absent, of.moment, of.date, of.text),
    "now_and_then": (of.any_of(of.absent, of.whole), of.any_of(of.absent, of.text)),
    # Names that another system may not take, or takes for another's.
    "Status": (of.text, of.whole), "status": (of.whole,), "STATUS": (of.date, of.truth),
    "select": (of.text,), "user": (of.whole, of.mapping), "order": (of.whole, of.text),
    "group": (of.text, of.null), "table": (of.truth,), "from": (of.date,), "default": (of.text,),
    _LONG: (of.text,), f"{_LONG}_but_another": (of.whole, of.text), "ë" * 40: (of.text,),
    "with space": (of.text,), " ": (of.whole,), "": (of.text, of.whole), "with.dot": (of.decimal,),
    "with-dash": (of.date,), "with_dash": (of.moment,), "with:colon": (of.text,),
    "100%": (of.decimal,), "percent%s": (of.text,), "%(name)s": (of.text,), 'quote"d': (of.text,),
    "apo'strophe": (of.text,), "back`tick": (of.whole,), "back\\slash": (of.whole,),
    "a,b": (of.text,), "(brackets)": (of.text,), "{braces}": (of.text,), "list[0]": (of.text,),
    "semi;colon": (of.text,), "new\nline": (of.text,), "$amount": (of.decimal,), "a/b": (of.text,),
    "1st": (of.text,), "Größe!": (of.decimal, of.text), "日本語": (of.text,), "😀": (of.truth,),
    "_sdc_deleted_at": (of.moment, of.text), "_sdc_extracted_at": (of.text,),
    "_sdc_table_version": (of.whole,), "_nonconforming": (of.mapping, of.text),
    "_undocumented": (of.text, of.mapping), "cf_branche": (of.text, of.whole),
    "field_values[1]": (of.text,),
}  # fmt: skip
"""How each field goes from epoch to epoch, and then from the start again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Which records drift, and how many at each step."""

    resources: tuple[str, ...] = ENDPOINTS
    new_rows: int = 10
    """Rows that are made for each of the resources that can have new ones."""
    changed_share: float = 0.3
    """Of the rows that there were."""
    late_row: int = 90_000
    """The id of the only row with the field `appears_late`; it is among the changed ones."""

    def __post_init__(self) -> None:
        unknown = sorted(set(self.resources) - set(ENDPOINTS))
        if unknown:
            message = f"No resource is called {', '.join(unknown)}."
            raise ValueError(message)


def drifted(seed: int, resource: str, row_id: int, epoch: int, *, late_row: int) -> dict[str, Any]:
    """The undocumented fields of a record, without those that its resource documents."""
    dice = Random(f"{seed} {resource} {row_id} {epoch}")
    values = {name: _value(career, epoch, dice) for name, career in _CAREERS.items()}
    if row_id == late_row:
        values[LATE_FIELD] = of.moment(dice)
    documented = RESOURCES[resource].by_name
    return {
        name: value for name, value in values.items()
        if value is not ABSENT and name not in documented
    }  # fmt: skip


def drifting_names() -> frozenset[str]:
    """Every field that a record may have in some epoch."""
    return frozenset({*_CAREERS, LATE_FIELD})


def _value(career: tuple[Maker, ...], epoch: int, dice: Random) -> Any:
    value = career[epoch % len(career)](dice)
    return None if value is not ABSENT and dice.random() < _SHARE_OF_NULLS else value
