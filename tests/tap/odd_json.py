"""JSON as text, for hypothesis: there is more of it than of Python's values.

Spellings of numbers, escapes, names that come twice, and what PHP writes though it is no text.
"""

from __future__ import annotations

import json

from hypothesis import strategies as st

_NUMBERS = """
0 -0 0.0 1 2 6.0 6.5 1e3 1E+3 12345678901234567.890 0.10 1e400 1e-400 -1e99999 1e-99999 0e99999
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809
9223372036854775807.0 1e18 1e19 12e999 0.0000001e-997 111111111111111111111111111111
"""

numbers = st.one_of(
    st.sampled_from([*_NUMBERS.split(), f"-{'9' * 1200}", f"0.{'3' * 700}"]),
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(lambda d: f"{d:f}"),
)
characters = st.one_of(
    st.characters(codec="utf-8"),
    st.sampled_from(["\0", "\ud83d", "\ude00", "😀", "\\", "u", '"', "/", "\n", "é", "\uffff"]),
)
words = st.lists(characters, max_size=6).map("".join)
times = st.sampled_from(
    [
        "",
        "0000-00-00 00:00:00",
        "0001-01-01 00:00:00",
        "10000-01-01 00:00:00",
        "2024-02-30 00:00:00",
        "2024-05-18",
        "2024-05-18 13",
        "2024-05-18 13:38:35.123456789",
        "2024-05-18 23:59:60",
        "2024-05-18 24:00:00",
        "2024-05-18T13:38:35.25+02:00",
        "2024-05-18T13:38:35Z",
        "2025-03-30 02:30:00",
        "2025-10-26 02:30:00",
        "2026-07-01 12:00:00",
        "9999-12-31 23:59:59",
    ]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A string, all of it in ASCII with escapes as PHP writes it, or as it is."""
    text = draw(words | times)
    if draw(st.booleans()) or any("\ud800" <= one <= "\udfff" for one in text):
        return json.dumps(text).replace("/", "\\/")
    return json.dumps(text, ensure_ascii=False)


def objects(
    values: st.SearchStrategy[str], names: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    """An object; the same name may come twice."""
    pairs = st.lists(st.tuples(names, values), max_size=4)
    return pairs.map(lambda some: "{" + ", ".join(f"{name}: {value}" for name, value in some) + "}")


def nested(depth: int) -> str:
    """Lists and objects within each other."""
    return '[{"a":' * depth + "1.50" + "}]" * depth


values = st.recursive(
    st.one_of(
        numbers,
        texts(),
        st.sampled_from(["null", "true", "false", nested(20), nested(51), nested(100)]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda some: f"[{','.join(some)}]"), objects(inner, texts())
    ),
    max_leaves=6,
)
