"""What the API makes of a valid value when it stores it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.validation import InvalidValueError

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour
    from cirqll_sandbox.resources import Field

_PHONES = frozenset({"phone", "mobile"})
_WIDE = Context(prec=65, rounding=ROUND_HALF_UP)
"""MySQL's DECIMAL holds at most 65 digits, and rounds halves away from zero."""


def stored_form(value: Any, field: Field, behaviour: Behaviour) -> Any:
    """The value as it will be read back; `InvalidValueError` for a price beyond all columns."""
    if isinstance(value, str):
        return _text(value, field, behaviour)
    if field.name == "price" and value is not None and behaviour.price_places is not None:
        return _rounded(value, behaviour.price_places)
    return value


def _text(text: str, field: Field, behaviour: Behaviour) -> str:
    if field.kind == "email" and behaviour.normalises_email:
        return text.lower()
    if field.name in _PHONES and behaviour.normalises_phone:
        return "".join(text.split())
    return text


def _rounded(price: Any, places: int) -> Decimal:
    try:
        return Decimal(str(price)).quantize(Decimal(1).scaleb(-places), context=_WIDE)
    except InvalidOperation:
        message = "is out of range."
        raise InvalidValueError(message) from None
