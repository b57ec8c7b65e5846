"""A recorder through which nothing passes, and a player that needs no server."""

from __future__ import annotations

import gzip
import json
import logging
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest
from vcr.errors import (  # type: ignore[import-untyped] # it has no types
    CannotOverwriteExistingCassetteException,
)

from cirqll_client.connection import connect
from cirqll_client.errors import CirqllError
from cirqll_client.query import IndexQuery
from cirqll_client.resources import RESOURCES
from cirqll_client.settings import ConnectionSettings
from tests.client.raw_server import answer, serving
from tests.contract.interview import Waits, never_wait
from tests.contract.recorder import recording, replaying
from tests.contract.recordings import exchanges_of
from tests.contract.scrubbing import ROOT, Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cirqll_client.client import CirqllClient
    from tests.client.raw_server import Reply

CUSTOMER = next(one for one in RESOURCES if one.name == "customer")
CANARY = "CANARY"
TOKEN = "CANARY-token-not-a-secret"
ROW = {
    "id": 4_711_123,
    "name": "CANARY de Vries",
    "CANARY key": {"CANARY": 47_111_234},
    "x": {"Ab": {"CANARY": 1}},
    "ok": True,
}
PAGE = json.dumps({"data": [ROW], "limit": 2, "total": 1, "offset": 0})
HEADERS = ("Set-Cookie: laravel_session=CANARY", "X-Powered-By: CANARY", "Content-Type: text/json")


def ask(url: str, question: Callable[[CirqllClient], Any]) -> Any:
    settings = ConnectionSettings(api_url=url, access_token=TOKEN, store_url="sqlite://")
    with closing(connect(settings, pause=never_wait)) as connection:
        return question(connection.client)


def page(client: CirqllClient) -> Any:
    return client.index(CUSTOMER, IndexQuery(limit=2)).rows.rows


def recorded(file: Path, reply: Reply, question: Callable[[CirqllClient], Any] = page) -> Any:
    with serving(reply) as server, recording(file, Scrubber(b"key", api_url=server.url)):
        return ask(server.url, question)


def create(client: CirqllClient) -> Any:
    return client.create(CUSTOMER, {"name": "CANARY"}, on_sending=lambda: None)


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (page, answer(200, PAGE, *HEADERS)),
        (create, answer(201, json.dumps(ROW), *HEADERS)),
        (page, answer(422, '{"message": "The CANARY de Vries is taken."}', *HEADERS)),
        (page, answer(404, "<html>CANARY</html>", *HEADERS)),
        (page, answer(200, '{"data": [{"id": 1, "name": "CANARY', *HEADERS)),
    ],
)
def test_no_canary_reaches_the_disk_or_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, question: Any, reply: bytes
) -> None:
    # Given
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "canary.yaml"
    # When
    with suppress(CirqllError, Waits):
        recorded(file, reply, question)
    # Then
    texts = [path.read_text("utf-8") for path in tmp_path.iterdir()]
    assert len(texts) == len(exchanges_of(file)) == 1
    assert CANARY not in texts[0]
    assert "4711123" not in texts[0]
    assert CANARY not in caplog.text


def test_nothing_is_on_the_disk_before_it_is_scrubbed(tmp_path: Path) -> None:
    file = tmp_path / "canary.yaml"
    reply = answer(200, PAGE)
    with serving(reply) as server, recording(file, Scrubber(b"key", api_url=server.url)):
        ask(server.url, page)
        assert not list(tmp_path.iterdir())


def test_the_client_reads_the_answer_as_it_came(tmp_path: Path) -> None:
    assert recorded(tmp_path / "one.yaml", answer(200, PAGE)) == [ROW]


def test_a_compressed_answer_is_read_and_recorded(tmp_path: Path) -> None:
    # Given
    file = tmp_path / "one.yaml"
    reply = answer(200, gzip.compress(PAGE.encode()), "Content-Encoding: gzip")
    # When
    rows = recorded(file, reply)
    # Then
    assert rows == [ROW]
    assert exchanges_of(file)[0].rows[0].keys() >= {"id", "name", "ok"}


def test_what_was_recorded_is_played_without_a_server(tmp_path: Path) -> None:
    # Given
    file = tmp_path / "one.yaml"
    recorded(file, answer(200, PAGE))
    # When
    with replaying(file) as tape:
        rows = ask(ROOT, page)
    # Then
    assert rows == exchanges_of(file)[0].rows
    assert tape.played == 1


def test_what_was_not_recorded_is_not_asked_of_anybody(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    recorded(file, answer(200, PAGE))
    with serving(answer(200, PAGE)) as server:
        with replaying(file), pytest.raises(CannotOverwriteExistingCassetteException):
            ask(server.url, lambda client: client.show(CUSTOMER, 1))
        assert server.connections == 0


def test_of_a_question_that_was_tried_again_the_last_answer_is_kept(tmp_path: Path) -> None:
    # Given
    file = tmp_path / "one.yaml"
    with (
        serving(answer(503, "{}"), answer(200, PAGE)) as server,
        recording(file, Scrubber(b"key", api_url=server.url)) as tape,
    ):
        for _ in range(2):
            with suppress(Waits):
                ask(server.url, page)
        # When
        tape.keep_last_answers(since=0)
    # Then
    assert [one.status for one in exchanges_of(file)] == [200]


def test_what_goes_elsewhere_is_sent_and_not_written_down(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    with serving(answer(200, PAGE)) as server:
        with recording(file, Scrubber(b"key", api_url=server.url), below="/oauth/"):
            assert ask(server.url, page) == [ROW]
        assert server.connections == 1
    assert not file.exists()
