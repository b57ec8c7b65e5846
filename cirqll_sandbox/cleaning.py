"""What the web framework makes of the texts in a body, before the API sees them.

Likely: Laravel's TrimStrings, then its ConvertEmptyStringsToNull, both at any depth.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cirqll_sandbox.behaviour import Behaviour

_BLANKS = r"[\s\ufeff\u200b\u200e]+"
_AROUND = re.compile(rf"\A{_BLANKS}|{_BLANKS}\Z")
_AS_TYPED = frozenset({"password"})


def cleaned(value: Any, behaviour: Behaviour, *, name: str = "") -> Any:
    """The value, or all that it holds, trimmed; an empty text as null."""
    if isinstance(value, dict):
        return {key: cleaned(item, behaviour, name=key) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item, behaviour, name=name) for item in value]
    if isinstance(value, str):
        return _cleaned_text(value, behaviour, trims=name not in _AS_TYPED)
    return value


def _cleaned_text(text: str, behaviour: Behaviour, *, trims: bool) -> str | None:
    if trims and behaviour.trims_texts:
        text = _AROUND.sub("", text)
    return None if not text and behaviour.empty_texts_become_null else text
