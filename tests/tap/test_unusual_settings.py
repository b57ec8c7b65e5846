"""The resource ``setting``, of which nobody knows whether it is rows or one object."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from singer_sdk.exceptions import ConfigValidationError

from tap_cirqll.tap import TapCirqll
from tests.tap.catalog_edits import choose, discovered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap.tap_runs import TapRuns


@contextmanager
def answering(body: object, *, indent: int | None = None) -> Iterator[str]:
    """Serve the same JSON at every path; the sandbox knows rows only."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(body, indent=indent).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "body",
    [
        {"theme": "dark", "language": "nl"},
        {"data": {"theme": "dark", "language": "nl"}},
        [{"key": "theme", "value": "dark"}, {"key": "language", "value": "nl"}],
        {
            "data": [{"key": "theme", "value": "dark"}, {"key": "language", "value": "nl"}],
            "limit": 100,
            "total": 2,
            "offset": 0,
        },
    ],
)
def test_settings_are_read_as_rows_or_as_one_object(body: object, run_tap: TapRuns) -> None:
    catalog = choose(discovered(run_tap), "settings")
    with answering(body) as url:
        first, second = (run_tap(catalog=catalog, api_url=url) for _ in range(2))

    assert first.code == 0, first.log
    records = first.records("settings")
    assert [(one["key"], one["value"]) for one in records] == [
        ("theme", "dark"),
        ("language", "nl"),
    ]
    assert records[0]["id"] != records[1]["id"]
    assert records == second.records("settings")


def test_numbers_and_truths_may_be_texts_as_meltano_writes_them() -> None:
    given = {"max_deleted_share": "0.5", "strict": "true", "detect_deletions": "false"}
    tap = TapCirqll(config={"store_url": "sqlite://", **given})
    assert (tap.config["max_deleted_share"], tap.config["strict"]) == (0.5, True)
    assert tap.config["detect_deletions"] is False


@pytest.mark.parametrize("slip", [{"strict": "maybe"}, {"max_deleted_share": "2"}])
def test_a_slip_in_such_a_text_is_refused(slip: dict[str, str]) -> None:
    with pytest.raises(ConfigValidationError) as caught:
        TapCirqll(config={"store_url": "sqlite://", **slip}).sync_all()
    assert next(iter(slip)) in str(caught.value.errors)
