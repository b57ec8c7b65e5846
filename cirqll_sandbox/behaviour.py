"""How the sandbox behaves where Cirqll's documentation is silent, and how it misbehaves on request.

This is the one place for guesses. Each option whose default is not documented says so: *likely*
follows from Laravel or from the documentation's patterns, *guess* is only a proposal. When a real
account shows a default to be wrong, correct it here.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass, fields
from typing import Any, Literal
from zoneinfo import ZoneInfo

PageMaximumMode = Literal["cap", "cap_silently", "refuse", "obey"]
Honesty = Literal["honour", "ignore", "refuse"]
Strictness = Literal["refuse", "ignore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One immutable set of options; change it with `dataclasses.replace`."""

    # Paging
    default_limit: int = 100
    """Documented."""
    page_maximum: int = 1000
    """Guess: the look-alike API of vPlan allows 1000."""
    page_maximum_mode: PageMaximumMode = "cap"
    """Guess. `cap` echoes the limit in force, `cap_silently` the one that was asked for, `refuse`
    answers `page_refusal_status`, `obey` knows no maximum."""
    page_refusal_status: int = 422
    """Likely (Laravel's validation). For a limit or offset that is no number, too."""
    limit_echo: Literal["true", "wrong", "missing"] = "true"
    """Documented as true. `wrong` tells a limit that is not in force."""
    total_echo: Literal["true", "lying", "missing"] = "true"
    """Likely: the number of all records that match. `lying` tells the number in the page."""

    # Filter, order, show
    filter_mode: Honesty = "honour"
    order_mode: Honesty = "honour"
    show_mode: Honesty = "honour"
    unknown_filter_field: Strictness = "refuse"
    """Unknown in the documentation. `ignore` takes the condition as always true."""
    unfilterable_fields: tuple[str, ...] = ()
    unorderable_fields: tuple[str, ...] = ()
    """Likely none: a column such as `updated_at` can be filtered and ordered on. The fields named
    here are treated as unknown."""
    unknown_show_field: Strictness = "refuse"
    """Unknown in the documentation."""
    unknown_with_relation: Strictness = "refuse"
    """Likely (Laravel)."""
    quotes: Literal["understood", "literal"] = "understood"
    """Likely. `literal` takes quotes as part of the value, which then runs up to the next `,and,`,
    `,or,` or closing parenthesis."""
    quote_escape: Literal["none", "backslash", "doubled"] = "none"
    """Unknown in the documentation: with `none` a value cannot hold a quote."""
    bare_special_characters: Literal["refuse", "accept"] = "refuse"
    """Likely: a value with `:` or a space needs quotes. `accept` takes it without."""
    semicolon_in_quotes: Literal["separates", "belongs"] = "separates"
    """Unknown in the documentation: whether quotes protect a semicolon in the values of `in`."""
    ties: Literal["by_id", "shuffled"] = "by_id"
    """Guess: rows that `order_by` does not tell apart come by id. MySQL promises nothing:
    `shuffled`."""

    # Relations
    field_values_shape: Literal["page", "list", "map"] = "page"
    """Unknown in the documentation, `page` being the most probable."""
    relation_page: int = 50
    """Documented."""
    eager_loading_maximum: int = 16
    """Documented."""
    show_counts_as_with: bool = True
    """Guess: a relation that `show` loads weighs as much as one that `with` loads."""
    relations_need_scopes: bool = False
    """Unknown in the documentation: whether `with=contacts` needs `contact.read.all`."""

    # Answers to single records and writes
    wrap_single: bool = False
    """Documented for Update, likely for Show and Create: the bare object, no `data` around it."""
    create_status: int = 201
    """Likely: 200 or 201."""
    delete_status: int = 204
    """Likely: 200 or 204."""
    validation_status: int = 422
    """Likely (Laravel); 400 is possible."""
    unknown_write_field: Literal["ignore", "refuse", "store"] = "ignore"
    """Likely (Laravel): a field that is no column of the table is left out without a word."""
    touch_unchanged: bool = True
    """Guess: an Update that changes nothing moves `updated_at` too. Laravel's `save` would not."""

    # Rate limit
    rate_limit: int = 60
    """Documented: requests in one window. 0 means no limit."""
    rate_window_seconds: float = 60
    """Likely: starts at the first request and ends 60 seconds later."""
    rate_limit_per: Literal["everyone", "token"] = "everyone"
    """Unknown in the documentation: what "each client" means."""
    retry_after: bool = True
    """Likely: `Retry-After` on a 429 (Laravel sends it)."""
    rate_headers: bool = True
    """Documented: `X-RateLimit-Limit` and `X-RateLimit-Remaining` on every answer."""
    rate_limit_told: int | None = None
    """The limit that the header tells, when it differs from the one in force."""
    foreign_requests_per_second: float = 0
    """Other programs that eat from the same budget."""

    # Time
    timezone: str = "UTC"
    """Unknown in the documentation: UTC or Europe/Amsterdam."""
    date_header: bool = True
    date_offset_seconds: float = 0
    """How far the `Date` header is off."""

    # Life
    latency_seconds: float = 0
    edits_per_second: float = 0
    """Rows of the company that somebody changes while the sandbox runs."""
    edits_per_request: int = 0
    """Rows of the resource being read that somebody changes before each Index is answered."""


class UnknownBehaviourError(ValueError):
    """A change names no option of `Behaviour`, or has a value the option cannot take."""


def changed(behaviour: Behaviour, /, **changes: Any) -> Behaviour:
    """The behaviour with these options, checked: for changes from outside, such as JSON."""
    hints = typing.get_type_hints(Behaviour)
    for name, value in changes.items():
        if name not in hints:
            known = ", ".join(field.name for field in fields(Behaviour))
            message = f"There is no behaviour {name!r}. There are: {known}."
            raise UnknownBehaviourError(message)
        if not _fits(value, hints[name]):
            message = f"The behaviour {name!r} cannot be {value!r}."
            raise UnknownBehaviourError(message)
    if "timezone" in changes and not is_timezone(changes["timezone"]):
        message = f"{changes['timezone']!r} is no time zone. One looks like Europe/Amsterdam."
        raise UnknownBehaviourError(message)
    changes = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
    current = {field.name: getattr(behaviour, field.name) for field in fields(Behaviour)}
    return Behaviour(**{**current, **changes})


def is_timezone(name: str) -> bool:
    """Whether times can be told in the zone of this name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _fits(value: object, hint: Any) -> bool:
    if typing.get_origin(hint) is Literal:
        return value in typing.get_args(hint)
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return any(_fits(value, option) for option in typing.get_args(hint))
    if typing.get_origin(hint) is tuple:
        return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
