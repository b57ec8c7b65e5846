"""Recording of exchanges into files, and playing them back without any server.

The only module that knows vcrpy.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import vcr.stubs  # type: ignore[import-untyped] # it has no types
import yaml
from vcr import VCR
from vcr.request import Request  # type: ignore[import-untyped] # it has no types

from tests.contract.scrubbing import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.scrubbing import Scrubber


class Tape:
    """The exchanges of one file, recorded or played so far."""

    def __init__(self, cassette: Any) -> None:
        """Stand in front of vcrpy's."""
        self._cassette = cassette

    @property
    def length(self) -> int:
        """Count the exchanges."""
        return len(self._cassette)

    @property
    def played(self) -> int:
        """Count what was played back."""
        return int(self._cassette.play_count)

    def keep_last_answers(self, *, since: int) -> None:
        """Of what was asked several times in a row, keep the last answer."""
        exchanges = self._cassette.data
        exchanges[since:] = {
            (one.method, one.uri): (one, answer) for one, answer in exchanges[since:]
        }.values()


@contextmanager
def recording(file: Path, scrubber: Scrubber, *, below: str = "/api/") -> Iterator[Tape]:
    """Send what is asked meanwhile, and write it down, scrubbed, when all has been asked.

    What goes elsewhere than below this path is sent and not written down.
    """
    file.unlink(missing_ok=True)
    with _taped(
        file, "all", _ScrubbedRequests(scrubber, below=ROOT + below), _ScrubbedAnswers(scrubber)
    ) as tape:
        yield tape


@contextmanager
def replaying(file: Path) -> Iterator[Tape]:
    """Answer what is asked meanwhile as it was recorded; nothing is sent.

    The root of the API is ``ROOT``. What was not asked then ends in an error of vcrpy's.
    """
    with _taped(file, "none") as tape:
        yield tape


class _ReadableAnswer(vcr.stubs.VCRHTTPResponse):  # type: ignore[misc] # it has no types
    """An answer of vcrpy that can be read as ``urllib3``'s: it is decoded already."""

    def read1(self, amount: int = -1, *, decode_content: bool | None = None) -> bytes:
        del decode_content
        return bytes(super().read1(amount))


class _ScrubbedRequests:
    def __init__(self, scrubber: Scrubber, *, below: str) -> None:
        self._scrubber = scrubber
        self._below = below

    def __call__(self, request: Any) -> Any:
        if request.uri.startswith(ROOT):
            return request  # vcrpy passes it here twice
        uri = self._scrubber.uri(request.uri)
        if uri is None or not uri.startswith(self._below):
            return None
        kind = next((v for k, v in request.headers.items() if k.lower() == "content-type"), "")
        body = None
        if request.body is not None:
            content = request.body if isinstance(request.body, bytes) else b"".join(request.body)
            body = self._scrubber.sent(content, is_form="form" in str(kind))
        return Request(request.method, uri, body, self._scrubber.headers(request.headers))


class _ScrubbedAnswers:
    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber

    def __call__(self, answer: Any) -> Any:
        status = int(answer["status"]["code"])
        headers = {name: values[0] for name, values in answer["headers"].items()}
        kept = self._scrubber.headers(headers)
        body = self._scrubber.answered(answer["body"]["string"], status=status)
        return {
            "status": {"code": status, "message": ""},
            "headers": {name: [text] for name, text in kept.items()},
            "body": {"string": body},
        }


@contextmanager
def _taped(file: Path, mode: str, *scrubbed: Any) -> Iterator[Tape]:
    # It would write whole answers and URLs, as they came, into the log.
    logging.getLogger("vcr").setLevel(logging.WARNING)
    recorder = VCR(
        record_mode=mode,
        match_on=("question",),
        custom_patches=((vcr.stubs, "VCRHTTPResponse", _ReadableAnswer),),
        **dict(zip(("before_record_request", "before_record_response"), scrubbed, strict=False)),
    )
    recorder.register_matcher("question", _is_same_question)
    recorder.register_serializer("recording", _Readable)
    with recorder.use_cassette(str(file), serializer="recording") as cassette:
        yield Tape(cassette)


def _is_same_question(one: Any, other: Any) -> None:
    """Compare what is asked but for the values: of a recording they are others."""
    assert _question(one) == _question(other)


def _question(request: Any) -> object:
    url = urlsplit(request.uri.removeprefix(ROOT))
    path = ["#" if part.isdecimal() else part for part in url.path.split("/")]
    query = [(name, "#" if name == "filter" else text) for name, text in parse_qsl(url.query)]
    return request.method, path, query


class _Readable:
    """Files that a person can read through before handing them on: bodies stand in lines."""

    @staticmethod
    def serialize(recorded: dict[str, Any]) -> str:
        return yaml.dump(recorded, Dumper=_Dumper, sort_keys=False, width=1_000)

    @staticmethod
    def deserialize(text: str) -> Any:
        return yaml.load(text, Loader=yaml.CSafeLoader)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _written(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _written)
