"""Names of columns that every loader takes, for fields whose names nobody here chose.

A column's name is found from the field's name alone, and from what other columns are called: so the
same field gets the same name again where nothing is remembered.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from typing import TYPE_CHECKING

from cirqll_client.kinds import NONCONFORMING, UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from cirqll_client.learned_columns import Columns

LONGEST_NAME = 63
"""Bytes; PostgreSQL cuts longer names off (postgresql.org/docs, Identifiers)."""
OF_CUSTOM_FIELDS = "cf_"
"""Columns of custom fields begin so, and no others do."""
_OF_THE_SDK = "_sdc_"
_DIGEST_DIGITS = 8
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_LETTERS = re.compile(r"[^a-z0-9]+")


def column_for(
    field: str, *, taken: Collection[str], prefix: str = "", key: str | None = None
) -> str:
    """Give a name for the column of a field: its own, if that will do.

    ``taken`` holds the names of the other columns in lower case: in most warehouses names that
    differ only by case are one. ``prefix``: what the name has to begin with; then it is never the
    field's own. ``key`` tells apart the fields that may be called the same.
    """
    slug = _slug(field, prefix=prefix)
    for name in (() if prefix else (field,)) + (slug,):
        if is_usable(name, prefix=prefix) and name.lower() not in taken:
            return name
    return distinct(slug, field if key is None else key)


def may_be_called(name: str, field: str) -> bool:
    """Tell whether a column of this name can be the one of a field that is called otherwise."""
    slug = _slug(field, prefix="")
    return name in {slug, distinct(slug, field)}


def namer(others: Collection[str]) -> Callable[[str, Columns], str]:
    """Give the function that names new columns, beside these and those that were learned."""
    taken = {name.lower() for name in others}

    def name_of(field: str, columns: Columns) -> str:
        return column_for(field, taken=taken | {one.name.lower() for one in columns.values()})

    return name_of


def distinct(name: str, field: str) -> str:
    """Give the name with a digest of the field's behind it, by which it differs from all others."""
    digest = sha256(field.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_DIGITS]
    return f"{name[: LONGEST_NAME - _DIGEST_DIGITS - 1]}_{digest}"


def is_usable(name: str, *, prefix: str = "") -> bool:
    """Tell whether loaders take the name as it is, and it cannot be taken for another column."""
    is_ours = name.lower().startswith((_OF_THE_SDK, *(() if prefix else (OF_CUSTOM_FIELDS,))))
    is_own = name.lower() in {NONCONFORMING, UNDOCUMENTED}
    return not (is_ours or is_own) and len(name) <= LONGEST_NAME and bool(_PLAIN.fullmatch(name))


def custom_namer(
    others: Collection[str], names: Mapping[str, str]
) -> Callable[[str, Columns], str]:
    """Give the function that names the columns of custom fields, as they are called now, by key."""
    taken = {name.lower() for name in others}

    def name_of(key: str, columns: Columns) -> str:
        there = taken | {one.name.lower() for one in columns.values()}
        called = names[key] if _words(names[key]) else key
        return column_for(called, taken=there, prefix=OF_CUSTOM_FIELDS, key=key)

    return name_of


def _slug(field: str, *, prefix: str) -> str:
    """Write a name in lower-case letters, digits and single underscores; not cut to length."""
    slug = prefix + (_words(field) or "field")
    return slug if is_usable(slug[:LONGEST_NAME], prefix=prefix) else f"field_{slug}"


def _words(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return _NO_LETTERS.sub("_", letters.lower()).strip("_")
