"""The query parameters of a request, as PHP would read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from cirqll_sandbox.refusals import invalid

_LIST_KEY = re.compile(r"(\w+)\[\d*\]\Z")
_WHOLE = re.compile(r"\d{1,18}\Z")


@dataclass(frozen=True, slots=True)
class Parameters:
    """Decoded pairs in the order they came."""

    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, query: str) -> Parameters:
        """From the text behind the question mark."""
        return cls(tuple(parse_qsl(query, keep_blank_values=True, errors="replace")))

    def one(self, name: str) -> str | None:
        """The last value, or `None` when it is absent or empty."""
        return next((value for key, value in reversed(self.pairs) if key == name), None) or None

    def many(self, name: str) -> list[str]:
        """A list written `name[]=a&name[]=b` or `name=a,b`."""
        items: list[str] = []
        for key, value in self.pairs:
            match = _LIST_KEY.match(key)
            if key == name or (match and match[1] == name):
                items += [item.strip() for item in value.split(",") if item.strip()]
        return items

    def whole(self, name: str, *, least: int, status: int) -> int | None:
        """A whole number, `None` when absent; a `Refusal` with this status for anything else."""
        text = self.one(name)
        if text is None:
            return None
        if not _WHOLE.match(text):
            raise invalid({name: [f"The {name} must be an integer."]}, status=status)
        if int(text) < least:
            raise invalid({name: [f"The {name} must be at least {least}."]}, status=status)
        return int(text)

    def as_lists(self) -> dict[str, list[str]]:
        """Every name with its values, for the record of requests."""
        lists: dict[str, list[str]] = {}
        for key, value in self.pairs:
            lists.setdefault(key, []).append(value)
        return lists
