"""Checks of custom fields: in which shape their values come, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.cli.doctor import shapes
from cirqll_client.cli.doctor.answers import Failed
from cirqll_client.cli.doctor.checks import Check
from cirqll_client.cli.doctor.custom_columns import definitions, number_told, undefined

if TYPE_CHECKING:
    from cirqll_client.cli.doctor.evidence import Evidence


def field_values(evidence: Evidence) -> Check:
    """Tell in which shape the values of custom fields come."""
    key, name = "field_values", "Custom fields"
    if evidence.field_values is None:
        return Check(key, name, "unknown", "not asked, or no record to ask of")
    shape = shapes.field_values_shape(evidence.field_values)
    if shape in {"page", "list", "map"}:
        return Check(key, name, "good", f"come as a {shape}")
    words = {
        "none": "no record that was looked at has any",
        "refused": "cannot be asked for: refused",
        "ignored": "do not come along, though asked for",
    }.get(shape, "cannot be told")
    if shape in {"none", "unknown"}:
        return Check(key, name, "unknown", words)
    return Check(key, name, "warning", words, _NO_VALUES)


_NO_VALUES = (
    "The values of custom fields cannot be read. Check that the scopes of the sign-in cover the "
    "resource field; else report it with `cirqll doctor --report`."
)


def custom_fields(evidence: Evidence) -> Check:
    """Tell whether it is known what the custom fields are called, and how many there are."""
    key, name, came = "custom_fields", "Custom field names", evidence.definitions
    known = definitions(evidence)
    if came is None:
        return Check(key, name, "unknown", "not asked")
    if isinstance(came, Failed) and not known:
        if came.kind == "not_asked":
            return Check(key, name, "unknown", "not asked: the number of requests was used up")
        remedy = _NO_SCOPE if came.kind == "forbidden" else _NO_NAMES
        return Check(key, name, "warning", f"not known: asking for them {came.words}", remedy)
    words = f"{len(known) or 'none'} {'is' if len(known) < 2 else 'are'} defined"  # noqa: PLR2004
    if (number := number_told(evidence)) > len(known):
        return Check(key, name, "good", f"{number} are defined, {len(known)} were looked at")
    if number := len(undefined(evidence)):
        return Check(key, name, "warning", f"{words}; {number} came that have none", _UNDEFINED)
    return Check(key, name, "good", words)


_NO_NAMES = (
    "A custom field that has no column yet gets none until its definition can be read: its values "
    "are kept in `_undocumented`."
)
_NO_SCOPE = (
    "Sign in again with the scope field.read.all too, so that each custom field gets a column; "
    "without it, values of those that have none yet are kept in `_undocumented`."
)
_UNDEFINED = (
    "Values of custom fields came that nothing describes, perhaps of fields that were deleted: "
    "they are kept in `_undocumented`."
)
