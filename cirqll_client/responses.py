"""Reading of answers: pages, objects, error messages and the headers that tell limits and time.

The envelope of an Index is documented; that Show and Create answer bare objects is likely, so a
``data`` around one is accepted as well (cirqll-api.md, Transport and Index).
"""

from __future__ import annotations

import json
from codecs import getincrementaldecoder
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from zlib import crc32

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

Record = dict[str, Any]


def decimal_of(text: str) -> Decimal | str:
    """Read a number exactly; one beyond all bounds stays text."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _integer(text: str) -> int | Decimal | str:
    """Read a whole number; one of thousands of digits becomes a decimal."""
    try:
        return int(text)
    except ValueError:
        return decimal_of(text)


_ANYTHING = msgspec.json.Decoder(float_hook=decimal_of)

_LONGEST_COUNT = 15


class Unreadable(ValueError):
    """The body is not the JSON that was expected: cut short, or HTML of a proxy."""

    is_cut_short = False
    """It begins like JSON, so it does come from an API."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a page in the form that their reader makes, and what a walk needs of each."""

    rows: list[Any]
    ids: list[Any]
    """The value of ``id`` as it came; a walk refuses what is no integer."""
    times: list[Any]
    """The value of the bookmark field as it came, ``None`` where there is none."""


Json = bytes | memoryview
RowsReader = Callable[[Json], Rows]
"""Makes rows of the JSON text of a list of objects. Raises ``Unreadable``."""


@dataclass(frozen=True, slots=True)
class Page:
    """What an Index answered."""

    rows: Rows
    limit: int | None = None
    """The page size in force, where the server tells it."""
    total: int | None = None
    """Records that match the filter, this page included [likely]."""
    is_whole: bool = False
    """No envelope came: the rows are all there is."""
    server_time: datetime | None = None

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows.rows)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the headers tell of the budget; each may be missing."""

    limit: int | None = None
    remaining: int | None = None
    retry_after_seconds: int | None = None

    def without_remaining(self) -> RateLimit:
        """Leave out what is left."""
        return replace(self, remaining=None)


class _Envelope(msgspec.Struct):
    data: msgspec.Raw
    limit: Any = None
    total: Any = None


_PIECE_BYTES = 1 << 16
_ENVELOPE = msgspec.json.Decoder(_Envelope)


def page(body: bytes, *, headers: Mapping[str, str], read_rows: RowsReader) -> Page:
    """Read the answer of an Index. Raises ``Unreadable``."""
    text = _on_one_line(_valid_utf8(body))
    try:
        envelope = _ENVELOPE.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _unusual_page(text, headers, read_rows)
    data = memoryview(envelope.data)
    is_list = data[0] == ord("[")
    return Page(
        rows=read_rows(data if is_list else b"[" + data + b"]"),
        limit=_count(envelope.limit),
        total=_count(envelope.total),
        is_whole=not is_list,
        server_time=server_time(headers),
    )


def _on_one_line(text: bytes) -> bytes:
    """Take line breaks out of the JSON: values that are handed on as they came stand in lines."""
    if b"\n" not in text and b"\r" not in text:
        return text
    try:
        return msgspec.json.format(text, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        return text


def _unusual_page(text: bytes, headers: Mapping[str, str], read_rows: RowsReader) -> Page:
    """Read an answer without envelope, or JSON that only a lenient reader takes."""
    answer = decoded(text)
    has_envelope = isinstance(answer, dict) and isinstance(answer.get("data"), list)
    rows = answer["data"] if has_envelope else answer
    return Page(
        rows=read_rows(encoded(rows if isinstance(rows, list) else [rows])),
        limit=_count(answer.get("limit")) if has_envelope else None,
        total=_count(answer.get("total")) if has_envelope else None,
        is_whole=not has_envelope,
        server_time=server_time(headers),
    )


def plain_rows(data: Json, *, bookmark_field: str | None, key_without_id: str | None) -> Rows:
    """Make rows that are dictionaries with exact decimals. Raises ``Unreadable``."""
    rows = records(data, key_without_id=key_without_id)
    times = [row.get(bookmark_field) if bookmark_field else None for row in rows]
    return Rows(rows, [row.get("id") for row in rows], times)


def records(data: Json, *, key_without_id: str | None) -> list[Record]:
    """Read the JSON of a list of objects, each with an ``id``. Raises ``Unreadable``."""
    rows = decoded(data)
    if not all(type(row) is dict for row in rows):
        msg = "a record that is not an object"
        raise Unreadable(msg)
    return with_ids(rows, key=key_without_id) if key_without_id else rows


def with_ids(rows: list[Record], *, key: str) -> list[Record]:
    """Give each row an ``id`` that lacks one, made from the field that tells rows apart.

    A guess: where settings are one object, each of its entries becomes a row of key and value.
    """
    if len(rows) == 1 and "id" not in rows[0] and key not in rows[0]:
        rows = [{key: name, "value": value} for name, value in rows[0].items()]
    return [
        row if "id" in row or key not in row else {"id": crc32(str(row[key]).encode()), **row}
        for row in rows
    ]


def record(body: bytes) -> Record:
    """Read the answer of Show, Create or Update. Raises ``Unreadable``."""
    answer = decoded(body)
    if isinstance(answer, dict) and isinstance(answer.get("data"), dict) and "id" not in answer:
        answer = answer["data"]
    if not isinstance(answer, dict):
        msg = "a record that is not an object"
        raise Unreadable(msg)
    return answer


def new_record(body: bytes) -> Record:
    """Read the answer of Create, which tells the record's id. Raises ``Unreadable``."""
    answer = record(body)
    if type(answer.get("id")) is not int:
        msg = "a new record without a number as its id"
        raise Unreadable(msg)
    return answer


def decoded(body: Json) -> Any:  # noqa: ANN401 - JSON of any shape
    """Read JSON with exact decimals. Raises ``Unreadable``.

    What strict JSON forbids but PHP can produce (half of a surrogate pair) is read too.
    """
    try:
        return _ANYTHING.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    text = bytes(body)
    try:
        return json.loads(text, parse_float=decimal_of, parse_int=_integer, parse_constant=str)
    except (ValueError, RecursionError):
        raise _unreadable(text) from None


def encoded(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """Write what ``decoded`` read, half surrogate pairs escaped, decimals exact.

    Raises ``ValueError`` for a number that JSON does not have.
    """
    return _exact(value).encode("ascii")


def reason(body: bytes) -> str:
    """Give the API's own words of why it refused, on one line; empty where it has none.

    They are whole and may repeat what was sent: for a user they are to be redacted, then cut.
    """
    try:
        answer = decoded(body)
    except Unreadable:
        return ""
    if not isinstance(answer, dict):
        return ""
    words = [str(answer["message"])] if isinstance(answer.get("message"), str) else []
    words += [f"{field}: {each}" for field, each in refused_fields(body).items()]
    return " ".join(" ".join(words).split())


def refused_fields(body: bytes) -> dict[str, str]:
    """Give the API's own words on each field that it refused [likely], as ``reason`` does."""
    answer = decoded(body) if is_object(body) else {}
    errors = answer.get("errors")
    if not isinstance(errors, dict):
        return {}
    return {field: " ".join(_joined(each).split()) for field, each in errors.items()}


def is_object(body: bytes) -> bool:
    """Tell whether a whole JSON object came, as all answers of the API are."""
    try:
        return isinstance(decoded(body), dict)
    except Unreadable:
        return False


def rate_limit(headers: Mapping[str, str]) -> RateLimit:
    """Read the budget's headers."""
    return RateLimit(
        limit=_header_count(headers.get("X-RateLimit-Limit")),
        remaining=_header_count(headers.get("X-RateLimit-Remaining")),
        retry_after_seconds=_retry_after(headers),
    )


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """Read the server's clock from ``Date``."""
    return _time(headers.get("Date"))


def is_empty(body: bytes) -> bool:
    """Tell whether nothing came, as with 204."""
    return not body.strip()


def is_web_page(body: bytes) -> bool:
    """Tell whether HTML came: a proxy's words, not the API's."""
    return body.lstrip()[:1] == b"<"


def _unreadable(body: bytes) -> Unreadable:
    begin = body.lstrip()[:1]
    if not begin:
        return Unreadable("it is empty")
    if is_web_page(body):
        return Unreadable("it is a web page")
    error = Unreadable("it is no whole JSON")
    error.is_cut_short = begin in b"[{"
    return error


def _valid_utf8(body: bytes) -> bytes:
    """Replace what is no UTF-8, looked at in pieces: as one text a page is four times as large."""
    if body.isascii():
        return body
    decoder = getincrementaldecoder("utf-8")()
    view = memoryview(body)
    try:
        for start in range(0, len(view), _PIECE_BYTES):
            decoder.decode(view[start : start + _PIECE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return body.decode("utf-8", "replace").encode("utf-8")
    return body


def _exact(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, dict):
        members = (f"{json.dumps(name)}:{_exact(one)}" for name, one in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_exact, value))}]"
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    return json.dumps(float(value) if isinstance(value, Decimal) else value, allow_nan=False)


def _joined(errors: object) -> str:
    return " ".join(map(str, errors)) if isinstance(errors, list) else str(errors)


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _header_count(text: str | None) -> int | None:
    if text is None or len(text) > _LONGEST_COUNT or not text.strip().isdecimal():
        return None
    return int(text)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Read seconds, or a date, which counts from the ``Date`` of the answer (RFC 9110)."""
    text = headers.get("Retry-After")
    seconds = _header_count(text)
    then, now = _time(text), _time(headers.get("Date"))
    if seconds is None and then and now:
        return max(0, round((then - now).total_seconds()))
    return seconds


def _time(text: str | None) -> datetime | None:
    """Read a time of HTTP, which is in UTC whether it says so or not."""
    try:
        time = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
