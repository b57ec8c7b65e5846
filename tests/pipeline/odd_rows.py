"""Rows that are hard to carry: every value here has broken a pipeline of somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cirqll_sandbox import SpelledNumber

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox

_TEXTS = (
    "",
    " ",
    "Ünïcödé 🖨️ 漢字 👨‍👩‍👧",
    "'; drop table customers; --",
    'a "quoted" name',
    "back\\slash and \\N and \\.",
    "tab\tnewline\nreturn\r\nend",
    "null",
    "{1,2}",
    "\x01\x1f\x7f\u2028\ufeff",
    "x" * 65_535,
    "NUL \0 inside",
    "half a pair \ud83d alone",
)
_NUMBERS = (
    0,
    -0.0,
    SpelledNumber("0.1"),
    SpelledNumber("0.10"),
    SpelledNumber("12345678901.23"),
    SpelledNumber("12345678901234567.89"),
    SpelledNumber("-99999999999999999999.999999999999"),
    SpelledNumber("1E5"),
    SpelledNumber("1e-7"),
    5,
    "12.50",
    "",
    True,
    None,
)
_TIMES = (
    "2024-05-18 13:38:35",
    "0000-00-00 00:00:00",
    "0000-00-00",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    "2024-02-30 00:00:00",
    "2024-10-27 02:30:05",
    "2024-03-31 02:30:00",
    "2024-05-18T13:38:35Z",
    "2024-05-18T15:38:35+02:00",
    "",
    "soon",
    20240518,
    None,
)
_INTEGERS = (0, 100, -1, 2**31, 2**63 - 1, 2**63, SpelledNumber("6.0"), 6.5, "6", True, None)
_BOOLEANS = (True, False, 1, 0, "true", 2, None)
_ANYTHING: tuple[Any, ...] = (
    {"deep": {"list": [1, None, "x", {"a": [True, 1, SpelledNumber("0.10")]}]}},
    [],
    {},
    "",
    SpelledNumber("12345678901234567.89"),
    SpelledNumber("1e400"),
    "NUL \0 inside",
    {"NUL \0 key": 1},
    2**70,
    False,
    None,
)


def insert_odd_rows(sandbox: Sandbox) -> None:
    """Put each odd value into a row of its own."""
    customers = sandbox.rows("customer")
    customers.insert_many({"name": text, "description": text} for text in _TEXTS)
    customers.insert_many({"name": "odd", "anything": value} for value in _ANYTHING)
    customers.insert_many({"name": "odd", "address": value} for value in _ANYTHING)
    sandbox.rows("chance").insert_many({"name": "odd", "price": value} for value in _NUMBERS)
    sandbox.rows("chance").insert_many({"name": "odd", "percentage": one} for one in _INTEGERS)
    sandbox.rows("contract").insert_many({"name": "odd", "start_date": time} for time in _TIMES)
    sandbox.rows("field").insert_many({"name": "odd", "required": value} for value in _BOOLEANS)
