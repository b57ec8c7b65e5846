"""What is wrong with settings, catalogs and states is told in a sentence, without a traceback."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from tests.tap.catalog_edits import choose, entry_of

if TYPE_CHECKING:
    from tests.tap.conftest import Source
    from tests.tap.tap_runs import Run, TapRuns

DISCOVER = "make a catalog with tap-cirqll --discover and select in it."


def assert_refused(run: Run, *sentences: str) -> None:
    assert run.sentences("ERROR") == list(sentences)
    assert run.code == 1
    assert "Traceback" not in run.log
    assert run.output == ""


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"acess_token": "x"}, "There is no setting acess_token; did you mean access_token?"),
        (
            {"token_url": "api.cirqll.nl/oauth/token"},
            "The setting token_url is wrong: write it like https://api.cirqll.nl/oauth/token.",
        ),
        ({"client_id": 5}, "The setting client_id is wrong: it must be a text."),
        ({"api_url": 5}, "The setting api_url is wrong: it must be a text."),
        (
            {"api_url": "api.cirqll.nl"},
            "The setting api_url is wrong: write it like https://api.cirqll.nl.",
        ),
        ({"page_size": "ten"}, "The setting page_size is wrong: it must be a whole number."),
        ({"page_size": 0}, "The setting page_size is wrong: it must be at least 1."),
        ({"concurrency": 99}, "The setting concurrency is wrong: it must be at most 16."),
        ({"lookback": -1}, "The setting lookback is wrong: it must be at least 0."),
        ({"request_timeout": 0}, "The setting request_timeout is wrong: it must be more than 0."),
        (
            {"undocumented_fields": "colums"},
            "The setting undocumented_fields is wrong: it must be columns or json or drop.",
        ),
        (
            {"custom_fields": "column"},
            "The setting custom_fields is wrong: it must be columns or array.",
        ),
        (
            {"start_date": "yesterday"},
            "The setting start_date is not a date; write it like 2026-01-31 or 2026-01-31T00:00Z.",
        ),
        (
            {"api_timezone": "Mars"},
            (
                "The setting api_timezone (Mars) is not the name of a time zone; write it like UTC "
                "or Europe/Amsterdam."
            ),
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_setting_is_named_with_its_remedy(
    settings: dict[str, Any], sentence: str, run_tap: TapRuns
) -> None:
    assert_refused(run_tap(**settings), sentence)


def test_where_nobody_has_signed_in_the_command_is_named(run_tap: TapRuns, source: Source) -> None:
    assert_refused(
        run_tap(access_token=None),
        f"Nobody has signed in to Cirqll at {source.url} for the account default, so there is no "
        "token: run `cirqll login`, or give the settings refresh_token or access_token.",
    )


def test_a_setting_that_is_like_no_other_is_told_from_the_known_ones(run_tap: TapRuns) -> None:
    run = run_tap(frobnication="canary-of-a-value")

    assert run.code == 1
    assert run.sentences("ERROR")[0].startswith(
        "There is no setting frobnication: remove it. Known are: api_url, client_id, "
    )
    assert "canary" not in run.log


def test_settings_come_from_the_environment_in_their_types(
    run_tap: TapRuns, source: Source
) -> None:
    settings = {
        "TAP_CIRQLL_API_URL": source.url,
        "TAP_CIRQLL_ACCESS_TOKEN": source.sandbox.access_token,
        "TAP_CIRQLL_REQUESTS_PER_MINUTE": "100000",
        "TAP_CIRQLL_LOOKBACK": "30.5",
        "TAP_CIRQLL_FLATTENING_ENABLED": "no",
    }

    run = run_tap("--config", "ENV", environment=settings, api_url=None, access_token=None)

    assert run.code == 0
    assert source.sandbox.access_token not in run.log


def test_the_short_names_of_the_environment_are_known_too_and_the_own_ones_win(
    run_tap: TapRuns, source: Source
) -> None:
    settings = {
        "CIRQLL_API_URL": source.url,
        "CIRQLL_ACCESS_TOKEN": "canary-of-another-token",
        "TAP_CIRQLL_ACCESS_TOKEN": source.sandbox.access_token,
    }

    run = run_tap("--config", "ENV", environment=settings, api_url=None, access_token=None)

    assert run.code == 0


def test_settings_come_from_the_file_env_in_the_folder(run_tap: TapRuns, source: Source) -> None:
    (run_tap.folder / ".env").write_text(
        f"CIRQLL_API_URL={source.url}\nCIRQLL_ACCESS_TOKEN={source.sandbox.access_token}\n"
    )

    run = run_tap("--config", "ENV", api_url=None, access_token=None)

    assert run.code == 0


def test_a_file_env_that_cannot_be_read_is_one_sentence(run_tap: TapRuns) -> None:
    (run_tap.folder / ".env").write_bytes(b"CIRQLL_ACCESS_TOKEN=\xff\xfe\n")

    assert_refused(
        run_tap("--config", "ENV"), "The file .env cannot be read: it is not UTF-8 text."
    )


@pytest.mark.parametrize("nothing", [None, "", " \n"])
def test_null_and_empty_texts_leave_a_setting_at_its_default(
    nothing: str | None, run_tap: TapRuns
) -> None:
    """An orchestrator may pass a variable that has no value on as an empty text."""
    names = ("lookback", "concurrency", "page_size", "start_date", "account", "token_url")
    secrets = ("client_id", "client_secret", "refresh_token", "store_url")
    path = run_tap.file("nothing", dict.fromkeys(names + secrets, nothing))

    run = run_tap("--config", path)

    assert run.sentences("ERROR") == []
    assert run.code == 0


def test_an_empty_access_token_is_none(run_tap: TapRuns) -> None:
    run = run_tap(access_token="", environment={"TAP_CIRQLL_ACCESS_TOKEN": ""})

    assert "Nobody has signed in" in run.sentences("ERROR")[0]


def test_a_line_break_behind_a_secret_is_none_of_it(run_tap: TapRuns, source: Source) -> None:
    assert run_tap(access_token=f"{source.sandbox.access_token}\n").code == 0


@pytest.mark.parametrize("mode", [(), ("--test",)])
def test_a_wrong_value_in_the_environment_is_named(mode: tuple[str, ...], run_tap: TapRuns) -> None:
    run = run_tap("--config", "ENV", *mode, environment={"TAP_CIRQLL_PAGE_SIZE": "ten"})

    assert_refused(run, "The setting page_size is wrong: it must be a whole number.")


@pytest.mark.parametrize("content", ["not json", "[1]", ""])
def test_a_file_of_settings_that_is_none_is_named(content: str, run_tap: TapRuns) -> None:
    path = run_tap.file("broken", content)

    run = run_tap("--config", path)

    assert run.code == 2
    assert f"{path}: each must be a file with one JSON object" in run.log
    assert "Traceback" not in run.log


def test_a_file_of_settings_that_is_not_there_is_named(run_tap: TapRuns) -> None:
    run = run_tap("--config", "nowhere.json")

    assert run.code == 2
    assert "There is no file nowhere.json, from which --config is to read the settings." in run.log


@pytest.mark.parametrize(
    ("catalog", "sentence"),
    [
        ("{", "The file of --catalog holds no JSON object; give it the catalog as it was written."),
        ([], "The file of --catalog holds no JSON object; give it the catalog as it was written."),
        ({}, f"The catalog cannot be used, it is not one at its beginning: {DISCOVER}"),
        (
            {"streams": [{"stream": "x"}]},
            f"The catalog cannot be used, it is not one at streams[0]: {DISCOVER}",
        ),
        (
            {"streams": [{"tap_stream_id": "x", "schema": {"properties": {"a": {"type": 5}}}}]},
            (
                "The catalog cannot be used, it is not one at "
                f"streams[0].schema.properties.a.type: {DISCOVER}"
            ),
        ),
    ],
    ids=["no JSON", "a list", "empty", "no stream", "a type that is none"],
)
def test_a_catalog_that_is_none_is_refused(
    catalog: object, sentence: str, run_tap: TapRuns
) -> None:
    assert_refused(run_tap(catalog=catalog), sentence)


def test_the_catalog_of_another_tap_is_refused(run_tap: TapRuns) -> None:
    root = {"breadcrumb": [], "metadata": {"selected": True}}
    schema = {"properties": {"id": {"type": "integer"}}}
    issues = {"tap_stream_id": "issues", "schema": schema, "metadata": [root]}

    run = run_tap(catalog={"streams": [issues]})

    assert len(run.sentences("ERROR")) == 1
    assert run.sentences("ERROR")[0].startswith("The catalog selects the stream issues, which")
    assert run.code == 1


@pytest.fixture(scope="module")
def todos() -> dict[str, Any]:
    """A catalog that selects one stream."""
    from tap_cirqll.catalogs import everything  # noqa: PLC0415

    return choose(everything(), "todos")


EDITS = [
    ("replication_key", "created_at", "the replication key created_at, but its changes can only"),
    ("replication_method", "LOG_BASED", "the replication method LOG_BASED, but it can only"),
]


@pytest.mark.parametrize(("name", "value", "words"), EDITS)
def test_a_catalog_cannot_ask_for_what_the_api_does_not_offer(
    name: str, value: str, words: str, run_tap: TapRuns, todos: dict[str, Any]
) -> None:
    catalog = copy.deepcopy(todos)
    entry_of(catalog, "todos")[name] = value

    run = run_tap(catalog=catalog)

    assert f"The catalog gives the stream todos {words}" in run.sentences("ERROR")[0]
    assert run.code == 1


@pytest.mark.parametrize("field", ["id", "updated_at"])
def test_key_and_bookmark_cannot_be_deselected(
    field: str, run_tap: TapRuns, todos: dict[str, Any]
) -> None:
    catalog = copy.deepcopy(todos)
    for one in entry_of(catalog, "todos")["metadata"]:
        if one["breadcrumb"] == ["properties", field]:
            one["metadata"] = {"inclusion": "available", "selected": False}

    run = run_tap(catalog=catalog)

    assert_refused(
        run,
        (
            f"The catalog deselects the field {field} of the stream todos, which the tap and the "
            "loader need to tell rows and their changes apart: select it."
        ),
    )


@pytest.mark.parametrize("field", ["id", "updated_at"])
def test_key_and_bookmark_cannot_be_missing(
    field: str, run_tap: TapRuns, todos: dict[str, Any]
) -> None:
    catalog = copy.deepcopy(todos)
    del entry_of(catalog, "todos")["schema"]["properties"][field]

    assert_refused(
        run_tap(catalog=catalog),
        f"The catalog has no field {field} in the stream todos: {DISCOVER}",
    )


@pytest.mark.parametrize("streams", [[], None])
def test_a_catalog_that_selects_nothing_reads_nothing(
    streams: list[Any] | None, run_tap: TapRuns, todos: dict[str, Any]
) -> None:
    catalog = {"streams": []} if streams == [] else choose(copy.deepcopy(todos))

    run = run_tap(catalog=catalog)

    assert run.code == 0
    assert run.output == ""
    assert run.sentences("WARNING") == [
        (
            "The catalog selects no stream, so nothing is read: set selected to true in the "
            "metadata of the streams that you want."
        )
    ]


OF_CUSTOMERS = (
    "The state of the stream customers cannot be read: it is not what this tap wrote. Run again "
    "with a state that is, or without one to read the stream from the beginning."
)
NO_STATE = (
    'The state is not a Singer state: it must be an object like {"bookmarks": {"customers": '
    "{...}}}. Run again with the last STATE that came out, or without one."
)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("", "The file of --state holds no JSON object; give it the state as it was written."),
        ([], "The file of --state holds no JSON object; give it the state as it was written."),
        ({"bookmarks": [1]}, NO_STATE),
        ({"bookmarks": {"customers": 5}}, NO_STATE),
        ({"type": "STATE", "value": {"bookmarks": {"customers": {}}}}, NO_STATE),
        ({"bookmarks": {"customers": {"replication_key_value": "soon"}}}, OF_CUSTOMERS),
        ({"bookmarks": {"customers": {"replication_key_value": 5}}}, OF_CUSTOMERS),
        ({"bookmarks": {"customers": {"unfinished": 7}}}, OF_CUSTOMERS),
        ({"bookmarks": {"customers": {"unfinished": {"way": "changes"}}}}, OF_CUSTOMERS),
    ],
)
def test_a_broken_state_is_refused_before_anything_is_read(
    state: object, sentence: str, run_tap: TapRuns, source: Source
) -> None:
    run = run_tap(state=state)

    assert run.sentences("ERROR") == [sentence]
    assert run.code == 1
    assert run.output == ""
    assert source.sandbox.requests == ()


def test_a_state_from_the_future_is_refused(run_tap: TapRuns) -> None:
    bookmark = {"replication_key": "updated_at", "replication_key_value": "2199-01-01T00:00:00Z"}

    run = run_tap(state={"bookmarks": {"customers": bookmark}})

    assert run.code == 1
    assert len(run.sentences("ERROR")) == 1
    assert run.sentences("ERROR")[0].startswith("The state says that customers were read up to")


def test_the_state_of_a_stream_that_is_not_read_is_kept(run_tap: TapRuns) -> None:
    other = {"replication_key": "updated_at", "replication_key_value": "2026-01-01T00:00:00Z"}

    run = run_tap(state={"bookmarks": {"somebody-else": other}})

    assert run.code == 0
    assert run.state["bookmarks"]["somebody-else"] == other
