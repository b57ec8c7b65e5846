"""Values as the API takes them in a field: converted, then held to the limits of its schema."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cirqll_client.kinds import kind_of
from target_cirqll.conversions import Misfit, is_blank, rule_for
from target_cirqll.made_up import names_made_up
from target_cirqll.rows import Reject, RowRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from cirqll_client.resources import Resource
    from cirqll_client.timestamps import Timestamps


def fitted(value: Any, schema: dict[str, Any], *, timestamps: Timestamps) -> Any:  # noqa: ANN401 - JSON
    """Give the value as the API takes it in a field of this schema. Raises ``Misfit``.

    Null fits everywhere, and a blank text says null wherever it is no text that is asked for.
    """
    return fit_for(schema, timestamps=timestamps)(value)


def fit_for(schema: dict[str, Any], *, timestamps: Timestamps) -> Callable[[Any], Any]:
    """Make ``fitted`` for one field, for as many values as come."""
    type_fit, check = type_fit_for(schema, timestamps=timestamps), _limits_of(schema)

    def fit(value: Any) -> Any:  # noqa: ANN401 - JSON
        fits = type_fit(value)
        if check is not None and fits is not None:
            check(fits)
        return fits

    return fit


def type_fit_for(schema: dict[str, Any], *, timestamps: Timestamps) -> Callable[[Any], Any]:
    """Make what only converts: limits hold for what is sent, and not all of a row is."""
    rule = rule_for(kind_of(schema), timestamps)
    return lambda value: None if value is None else rule(value)


def check_limits(resource: Resource, fields: Mapping[str, Any]) -> None:
    """Check what is about to be sent. Raises ``RowRefused``."""
    for name, value in fields.items():
        check = _limits_of(resource.schema["properties"].get(name, {}))
        if check is None or value is None or names_made_up(name, value):
            continue
        try:
            check(value)
        except Misfit as misfit:
            raise refused_value(name, misfit) from None


def refused_value(name: str, misfit: Misfit) -> RowRefused:
    """Say of a field why its value cannot be sent."""
    reason = (
        f"The value of {name} cannot be sent to Cirqll: {misfit.reason}. Correct it where the row "
        "comes from, then run again."
    )
    return RowRefused(Reject("invalid", reason, name))


def missing_for_create(resource: Resource, fields: Mapping[str, Any]) -> str | None:
    """Name the first field without which nothing can be created; null and blank count as missing.

    What is needed is a guess (``Resource.required``).
    """
    return next((name for name in resource.required if is_blank(fields.get(name))), None)


def _limits_of(schema: dict[str, Any]) -> Callable[[Any], None] | None:
    if "maxLength" in schema:
        return partial(_check_length, longest=schema["maxLength"])
    if "minimum" in schema or "maximum" in schema:
        return partial(_check_size, least=schema.get("minimum"), most=schema.get("maximum"))
    return None


def _check_length(text: str, *, longest: int) -> None:
    if len(text) > longest:
        msg = f"it is longer than the {longest} characters that fit"
        raise Misfit(msg)


def _check_size(number: float | Decimal, *, least: float | None, most: float | None) -> None:
    if (least is not None and number < least) or (most is not None and number > most):
        raise Misfit(_size_wanted(least, most))


def _size_wanted(least: float | None, most: float | None) -> str:
    if least is None or most is None:
        return f"it is more than {most}" if least is None else f"it is less than {least}"
    return f"it is not between {least} and {most}"
