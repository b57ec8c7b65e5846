"""The settings of a command: options, environment, the file ``.env``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click
import pytest
from click.testing import CliRunner

from cirqll_client.cli import main
from cirqll_client.cli.command_settings import CommandSettings, variable, with_settings
from cirqll_client.errors import CirqllError

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


@click.command()
@click.option("--fail", is_flag=True)
@with_settings
def show(settings: CommandSettings, *, fail: bool) -> None:
    """Print what it was given."""
    if fail:
        msg = "It failed at \x1b[2Ja place.\nDo this."
        raise CirqllError(msg)
    connection, sign_in = settings.connection, settings.sign_in
    told: dict[str, Any] = {
        "account": connection.account,
        "api_url": connection.api_url,
        "client_id": connection.client_id,
        "client_secret": connection.client_secret,
        "request_timeout": connection.request_timeout,
        "give_up_after": connection.give_up_after,
        "authorize_parameters": dict(sign_in.authorize_parameters),
        "has_pkce": sign_in.has_pkce,
        "repr": repr(settings),
    }
    click.echo(json.dumps(told))


def run(*arguments: str, **environment: str) -> Result:
    clean: dict[str, str | None] = dict.fromkeys(
        name for name in os.environ if name.startswith(("CIRQLL_", "TAP_CIRQLL_"))
    )
    return CliRunner().invoke(show, arguments, env={**clean, **environment})


def settings(*arguments: str, **environment: str) -> dict[str, Any]:
    result = run(*arguments, **environment)
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def test_without_settings_there_are_cirqlls_own() -> None:
    # When
    told = settings()
    # Then
    assert told["api_url"] == "https://api.cirqll.nl"
    assert told["account"] == "default"
    assert told["client_id"] is None
    assert told["has_pkce"] is True
    assert told["authorize_parameters"] == {}


def test_an_option_wins_over_the_short_name_and_that_over_the_taps_own() -> None:
    # Given
    environment = {"CIRQLL_ACCOUNT": "short", "TAP_CIRQLL_ACCOUNT": "long"}
    # Then
    assert settings("--account", "option", **environment)["account"] == "option"
    assert settings(**environment)["account"] == "short"
    assert settings(TAP_CIRQLL_ACCOUNT="long")["account"] == "long"


def test_an_empty_variable_counts_as_not_set() -> None:
    # When
    told = settings(CIRQLL_ACCOUNT="  ", CIRQLL_CLIENT_ID="")
    # Then
    assert (told["account"], told["client_id"]) == ("default", None)


def test_a_slash_at_the_end_of_the_root_does_no_harm() -> None:
    # Then
    assert settings("--api-url", "https://a.example/")["api_url"] == "https://a.example"


def test_the_secret_comes_from_the_environment_only_and_is_not_in_the_repr() -> None:
    # When
    told = settings(CIRQLL_CLIENT_SECRET="a-secret-of-length")
    # Then
    assert told["client_secret"] == "a-secret-of-length"
    assert "a-secret-of-length" not in told["repr"]
    assert "secret" not in run("--help").output


@pytest.mark.parametrize("name", ["REQUEST_TIMEOUT", "GIVE_UP_AFTER"])
@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "1e999"])
def test_seconds_that_are_none_are_refused(name: str, text: str) -> None:
    # When
    result = run(**{f"CIRQLL_{name}": text})
    # Then
    assert result.exit_code == 1
    assert result.stderr == f"Error: The variable CIRQLL_{name} must be a number of seconds.\n"


def test_only_giving_up_may_take_no_time() -> None:
    # Then
    assert settings(CIRQLL_GIVE_UP_AFTER="0")["give_up_after"] == 0
    assert run(CIRQLL_REQUEST_TIMEOUT="0").exit_code == 1


@pytest.mark.parametrize(
    ("text", "expected"), [("false", False), ("0", False), ("Off", False), ("true", True)]
)
def test_pkce_may_be_switched_off(text: str, *, expected: bool) -> None:
    # Then
    assert settings(CIRQLL_PKCE=text)["has_pkce"] is expected


def test_more_parameters_for_the_authorize_url_may_be_given() -> None:
    # When
    told = settings(CIRQLL_AUTHORIZE_PARAMETERS="organisation_number=12&locale=nb")
    # Then
    assert told["authorize_parameters"] == {"organisation_number": "12", "locale": "nb"}


def test_an_error_is_a_sentence_that_moves_no_cursor() -> None:
    # When
    result = run("--fail")
    # Then
    assert result.exit_code == 1
    assert result.stderr == "Error: It failed at \ufffd[2Ja place.\ufffdDo this.\n"
    assert result.stdout == ""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("CIRQLL_ACCOUNT", "CIRQLL_CLIENT_ID"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def test_the_file_env_gives_what_the_environment_does_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    (folder / ".env").write_text("CIRQLL_ACCOUNT=file\nCIRQLL_CLIENT_ID='file'\n", encoding="utf-8")
    monkeypatch.setenv("CIRQLL_CLIENT_ID", "environment")
    # When
    CliRunner().invoke(main, ["login", "--timeout", "0"])
    # Then
    assert (variable("account"), variable("client_id")) == ("file", "environment")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"CIRQLL_ACCOUNT=\xe9\n"])
def test_a_file_env_that_is_no_text_is_named(folder: Path, content: bytes) -> None:
    # Given
    (folder / ".env").write_bytes(content)
    # When
    result = CliRunner().invoke(main, ["login", "--timeout", "0"])
    # Then
    assert result.exit_code == 1
    assert result.stderr == "Error: The file .env cannot be read: it is not UTF-8 text.\n"
