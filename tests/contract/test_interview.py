"""An interview goes on after a refusal, and ends where asking on is of no use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cirqll_client.errors import RequestRefused, Unavailable
from cirqll_client.settings import ConnectionSettings
from tests.client.raw_server import PAGE, answer, serving
from tests.contract.interview import WRONG_TOKEN, Outcome, interview
from tests.contract.questions import Suite, fault_suite, reading_suites
from tests.contract.recorder import recording
from tests.contract.recordings import Exchange, exchanges_of
from tests.contract.scrubbing import Scrubber

if TYPE_CHECKING:
    from pathlib import Path

    from tests.client.raw_server import RawServer

ONCE = Suite("once", fault_suite().questions[:1])
TWICE = Suite("twice", fault_suite().questions[:2])


def interviewed(
    suite: Suite, server: RawServer, folder: Path, *, give_up_after: float = 60
) -> tuple[list[Outcome], list[Exchange]]:
    file = folder / f"{suite.name}.yaml"
    settings = ConnectionSettings(
        api_url=server.url, access_token="own", store_url="sqlite://", give_up_after=give_up_after
    )
    with recording(file, Scrubber(b"key", api_url=server.url)) as tape:
        outcomes, _ = interview(suite, settings, tape, pause=lambda _seconds: None)
    return outcomes, exchanges_of(file)


def test_what_the_client_asked_again_is_recorded_once(tmp_path: Path) -> None:
    with serving(answer(503, "{}"), PAGE) as server:
        _, exchanges = interviewed(ONCE, server, tmp_path)
    assert [one.status for one in exchanges] == [200]


def test_a_refusal_is_an_outcome(tmp_path: Path) -> None:
    with serving(answer(400, '{"message": "No."}'), PAGE) as server:
        outcomes, exchanges = interviewed(TWICE, server, tmp_path)
    assert type(outcomes[0].came) is RequestRefused
    assert [one.status for one in exchanges] == [400, 200]


def test_a_server_that_is_down_ends_it(tmp_path: Path) -> None:
    with serving(answer(503, "{}")) as server, pytest.raises(Unavailable):
        interviewed(TWICE, server, tmp_path, give_up_after=0)


def test_only_the_question_about_it_comes_with_a_wrong_token(tmp_path: Path) -> None:
    mistakes = next(suite for suite in reading_suites() if suite.name == "mistakes")
    with serving(PAGE) as server:
        interviewed(mistakes, server, tmp_path)
    wrong = [WRONG_TOKEN.encode() in request for request in server.received]
    assert (wrong.count(True), wrong[-1]) == (1, True)


def test_what_needs_a_record_is_not_asked_where_there_is_none(tmp_path: Path) -> None:
    customer = next(suite for suite in reading_suites() if suite.name == "customer")
    none = answer(200, '{"data": [], "limit": 2, "total": 0, "offset": 0}')
    with serving(none) as server:
        outcomes, exchanges = interviewed(customer, server, tmp_path)
    assert len(outcomes) == len(exchanges) == len(customer.questions) - 4
