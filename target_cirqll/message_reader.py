"""The Singer messages of the input, and when to stop reading them."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation
from typing import IO, TYPE_CHECKING, Any, NoReturn

import msgspec
from singer_sdk.io_base import GenericSingerReader
from singer_sdk.singerlib.exceptions import InvalidInputLine
from singer_sdk.singerlib.json import deserialize_json

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

Message = dict[str, Any]

_OF_ITS_TYPE: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": dict},
}
"""What a message has to have, by its type."""


def _exact(text: str) -> Decimal | str:
    """Read a number exactly; one beyond all bounds stays text, which is its row's matter only."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


_DECODER = msgspec.json.Decoder(float_hook=_exact)


class _Interrupted(BaseException):
    """A signal came while nothing was being done but waiting for the input."""


class MessageReader(GenericSingerReader[str]):
    """Reads messages with exact numbers; no error ever repeats what a line holds."""

    def __init__(self) -> None:
        """Begin before the first line."""
        super().__init__()
        self._line_number = 0
        self._is_waiting = False
        self._is_stopping = False

    @property
    def default_input(self) -> IO[str]:
        """Standard input, as it is now."""
        return sys.stdin

    def stop(self) -> None:
        """Read no more: at once where a line is waited for, else after the message in hand.

        To be called by a handler of signals.
        """
        self._is_stopping = True
        if self._is_waiting:
            raise _Interrupted

    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[Message], None]]
    ) -> Counter[str]:
        """Hand each message to the callback for its type, until the end or ``stop``.

        Raises ``InvalidInputLine`` for the first line that is no message.
        """
        source = file_input or self.default_input
        # Bytes say what they hold whatever the locale is.
        lines = self._lines(getattr(source, "buffer", source))
        return super().process_lines(lines, callbacks)  # type: ignore[arg-type] # it only iterates

    def deserialize_json(self, line: str) -> Message:
        """Read a line. Raises ``InvalidInputLine``."""
        try:
            message = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            message = self._leniently(line)
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            self._refuse(
                "is no Singer message, a JSON object with a type. Only messages may come from the "
                "tap's standard output: see whether it prints something else there"
            )
        self._check_parts(message)
        return message

    def _leniently(self, line: str) -> object:
        """Read what Python's own JSON reads beyond the standard, such as half a surrogate pair."""
        try:
            return deserialize_json(line)
        except (ValueError, ArithmeticError, RecursionError):
            return None

    def _check_parts(self, message: Message) -> None:
        kind = message["type"]
        for name, of_type in _OF_ITS_TYPE.get(kind, {}).items():
            if not isinstance(message.get(name), of_type):
                self._refuse_part(kind, name)
        if kind == "SCHEMA":
            if not isinstance(message["schema"].get("properties"), dict):
                self._refuse_part(kind, "schema")
            if not _are_names(message.get("key_properties") or []):
                self._refuse_part(kind, "key_properties")

    def _refuse_part(self, kind: str, name: str) -> NoReturn:
        self._refuse(
            f"is a {kind} message whose part {name} is not as the Singer specification has it: the "
            "tap that wrote it has to be mended"
        )

    def _process_unknown_message(self, message_dict: Message) -> None:
        del message_dict
        self._refuse(
            "is a message of a type that Singer does not have: the tap that wrote it has to be "
            "mended"
        )

    def _lines(self, source: IO[str]) -> Iterator[str]:
        while not self._is_stopping:
            try:
                self._is_waiting = True
                line = source.readline()
                self._is_waiting = False
            except _Interrupted:
                return
            self._line_number += 1
            if not line:
                return
            if line.strip():
                yield line

    def _refuse(self, words: str) -> NoReturn:
        msg = f"Line {self._line_number} of the input {words}."
        raise InvalidInputLine(msg)


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)
