"""Values of all kinds, in all the forms in which a warehouse may hold them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from cirqll_client.kinds import Kind, kind_of
from cirqll_client.resources import RESOURCES, parent_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.resources import Resource

_BLANKS = st.text(" \t\n\u00a0\u200b\u3000", max_size=3)
_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
TEXTS = st.one_of(
    st.builds(lambda a, b, c: a + b + c, _BLANKS, st.text(_CHARACTERS, max_size=30), _BLANKS),
    st.sampled_from(
        ["", " ", "O'Neil & Zn", 'De "Gouden" Leeuw', "a\r\nb\nc", "A" * 255, "é", "e\u0301", "İ"]
    ),
    st.sampled_from(["Info@Example.COM", " 06 12 34 56 78 ", "+31 (0)20-123 45 67", "0", "null"]),
    st.integers(0, 10**12),
)
_DECIMALS = st.decimals("-1e12", "1e12", allow_nan=False, allow_infinity=False, places=7)
NUMBERS = st.one_of(
    _DECIMALS,
    _DECIMALS.map(str),
    st.integers(-(2**40), 2**40),
    st.floats(-1e9, 1e9, allow_nan=False),
    st.sampled_from(["12.50", 12.5, "1e3", " 7 ", "", "0.1", "-0", "0.000000000001"]),
)
_MOMENTS = st.one_of(
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 - zones are added
    st.datetimes(datetime(2025, 10, 26, 0), datetime(2025, 10, 26, 4)),  # noqa: DTZ001
    st.datetimes(datetime(2025, 3, 30, 0), datetime(2025, 3, 30, 4)),  # noqa: DTZ001
)
TIMES = st.one_of(
    _MOMENTS.map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S")),
    _MOMENTS.map(lambda moment: moment.isoformat() + "Z"),
    _MOMENTS.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S") + "+02:00"),
    _MOMENTS.map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "-05:30"),
    _MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC)),
    st.sampled_from(["2025-10-26 02:30:00", "2025-03-30 02:30:00", "2025-01-01", ""]),
    st.just("0000-00-00 00:00:00"),
)
_TRUTHS = st.sampled_from([True, False, 0, 1, "true", "f", "", "1"])
_JSON_TEXTS = st.sampled_from(
    ['{"city": "Delft", "no": 1.50}', "[1, 2.0, {}]", "{}", "[]", "null", '{"a":']
)
_BY_KIND: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.STRING: TEXTS,
    Kind.NUMBER: NUMBERS,
    Kind.TIME: TIMES,
    Kind.BOOLEAN: _TRUTHS,
    Kind.JSON: TEXTS.map(str) | _JSON_TEXTS,
}
EMAILS = st.integers(1, 10**6).map("Info{}@Example.COM".format)
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("company_id", "origin_id"), st.none()),
    **dict.fromkeys(("email", "from", "to"), EMAILS),
}
"""What the sandbox takes in fields of which the schema says less."""
NEEDED: dict[str, tuple[str, ...]] = {
    **{resource.name: resource.required for resource in RESOURCES},
    "contact": ("last_name",),
    "appointment": ("name", "start_date", "end_date"),
    "contract": ("name", "price", "start_date", "end_date"),
    "email": ("subject",),
    "field": ("name", "type"),
    "note": ("description",),
    "todo": ("name",),
    "webhook": ("url", "event"),
}
"""What the sandbox needs of a new record."""
_EXPRESSIBLE = st.text("aAéßİ:,;() &+%'\U0001f600", min_size=1, max_size=8)
MATCH_KEYS = {
    "import_id": st.integers(0, 2**32),
    "name": _EXPRESSIBLE.map(str.strip).filter(bool),
}


def contents(resource: Resource, parents: Mapping[str, list[int]]) -> st.SearchStrategy[Any]:
    """Rows of a resource, each with some of its fields, valid wherever a schema says so."""
    of_schema = resource.schema["properties"]
    fields = {
        name: _present(name, of) if name in NEEDED[resource.name] else _any(name, of, parents)
        for name, of in of_schema.items()
        if not of.get("readOnly")
    }
    needed = {name: fields.pop(name) for name in NEEDED[resource.name]}
    return st.fixed_dictionaries(needed, optional=fields)


def _any(
    name: str, schema: Mapping[str, Any], parents: Mapping[str, list[int]]
) -> st.SearchStrategy[Any]:
    """Values of one field, null included."""
    parent = parent_of(name)
    if parent is not None:
        return st.none() | st.sampled_from(parents[parent.name])
    return st.none() | _BY_NAME.get(name, _of_kind(schema))


def _of_kind(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    kind = kind_of(dict(schema))
    if kind is Kind.INTEGER:
        numbers = st.integers(schema.get("minimum", 0), schema.get("maximum", 10))
        return numbers | numbers.map(str) | numbers.map(lambda one: f"{one}.0")
    if "minimum" in schema:
        return st.decimals(0, 10**9, places=5) | st.just("12.50")
    return _BY_KIND[kind]


def _present(name: str, schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a field that must not be empty."""
    if name == "email":
        return EMAILS
    if name == "url":
        return st.integers(1, 10**6).map("https://example.com/{}".format)
    kind = kind_of(dict(schema))
    if kind is Kind.STRING:
        return st.builds("{}{}x".format, _BLANKS, st.text("abÉß&+%\U0001f600 ", max_size=5))
    return (
        _BY_KIND[kind].filter(lambda value: not str(value).startswith(("0000", " "))).filter(bool)
    )
