"""No secret is in any byte that the target writes, and no row but where it may be."""

from __future__ import annotations

import json
import logging
import signal
import stat
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import CirqllError
from cirqll_client.resources import resource_of_stream
from cirqll_client.settings import ConnectionSettings
from cirqll_client.singer_programs import bugs_told_by_place
from target_cirqll.policy import Policy
from target_cirqll.run import Run
from target_cirqll.settings import Reporting
from tests.canaries import everything_logged, told_of
from tests.parroting import ROW, Parrot, parroting
from tests.tap.conftest import environment_in
from tests.target.target_runs import TARGET, lines, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.target.target_runs import Message

TOKEN = "canary-token-5f0c9b7e"
CLIENT_SECRET = "canary-secret-5f0c9b7e"
SECRET = "5f0c9b7e"
"""A part of every secret."""
CONTENT = ("kanarie", "55503141", "4290173355")
"""Parts of every value: of texts, of a telephone number, of an import id."""
PASSWORD = "geheim-wachtwoord"
STATUSES = (200, 302, 400, 401, 403, 404, 409, 413, 418, 422, 429, 500)
MATCH_ON = {"customers": ["import_id", "email"]}


@pytest.fixture
def parrot() -> Iterator[Parrot]:
    """A Cirqll that repeats what it is sent."""
    with parroting(Parrot()) as running:
        yield running


def leaked(text: str) -> list[str]:
    """The lines that hold a part of a secret or of a row."""
    plain = text.casefold()
    found = [one for one in (SECRET, *CONTENT) if one.casefold() in plain]
    return [line for line in plain.splitlines() if any(one in line for one in found)]


def run_in_process(parrot: Parrot, folder: Path, **policy: Any) -> str:
    """Write a row, and give what is told of the error that ends the run, if any does."""
    customers = resource_of_stream("customers")
    assert customers
    told = ""
    states: list[Any] = []
    settings = ConnectionSettings(
        api_url=parrot.url,
        access_token=TOKEN,
        client_secret=CLIENT_SECRET,
        store_url=f"sqlite:///{folder / 'store.sqlite'}",
        requests_per_minute=100_000,
        request_timeout=0.5,
        give_up_after=0,
    )
    rejects = Reporting(
        rejects_path=folder / "rejects.jsonl",
        rejects_with_record=True,
        max_rejects=None,
        dry_run_path=None,
    )
    policy = {"match_on": {"customer": ("import_id", "email")}, **policy}
    run = Run(
        settings,
        Policy(write_custom_fields=True, **policy),
        rejects,
        outlet=states.append,
        logger=logging.getLogger("target-cirqll"),
    )
    try:
        row = run.entrance("customers", customers, key_properties=["no"]).read(dict(ROW))
        assert row
        told = repr((run, run.summary))
        run.write(customers, [row])
        run.finish()
    except CirqllError as error:
        told += told_of(error)
    finally:
        run.close()
    return told + repr(states)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("status", STATUSES)
def test_the_log_tells_nothing_of_a_row_whatever_a_write_is_answered(
    status: int, method: str, parrot: Parrot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    parrot.write_status, parrot.has_record = status, method == "PATCH"

    told = run_in_process(parrot, tmp_path)

    assert any(one.startswith(method) for one in parrot.requests)
    assert leaked(told + everything_logged(caplog)) == []


@pytest.mark.parametrize("status", STATUSES)
def test_the_log_tells_nothing_of_a_row_whatever_a_look_up_is_answered(
    status: int, parrot: Parrot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    parrot.read_status = status

    told = run_in_process(parrot, tmp_path)

    assert any("kanarie" in one for one in parrot.requests)
    assert leaked(told + everything_logged(caplog)) == []


class TargetRun:
    """The target as a program of its own, which says all that it can."""

    def __init__(self, folder: Path, parrot: Parrot) -> None:
        """Run in this folder."""
        self.folder = folder
        self.rejects = folder / "rejects.jsonl"
        self.dry_run = folder / "dry-run.json"
        self._parrot = parrot
        self.environment = {
            **environment_in(folder),
            "TARGET_CIRQLL_LOGLEVEL": "DEBUG",
            "PYTHONDEVMODE": "1",
            "PYTHONWARNINGS": "ignore",
        }

    def __call__(self, *messages: Message | str, options: tuple[str, ...] = (), **more: Any) -> int:
        """Run to the end; give the exit code."""
        with self.started(*options, **more) as process:
            self.end(process, lines(*messages))
        return process.returncode

    @contextmanager
    def started(self, *options: str, **more: Any) -> Iterator[subprocess.Popen[str]]:
        """Start a run, whose settings are gone at its end, as Meltano's are."""
        config = self.folder / "config.json"
        settings = {
            "api_url": self._parrot.url,
            "access_token": TOKEN,
            "client_secret": CLIENT_SECRET,
            "requests_per_minute": 100_000,
            "request_timeout": 5,
            "give_up_after": 0,
            "match_on": MATCH_ON,
            "rejects_path": str(self.rejects),
            "dry_run_path": str(self.dry_run),
            "rejects_with_record": True,
            "write_custom_fields": True,
        }
        config.write_text(json.dumps({**settings, **more}))
        with subprocess.Popen(
            [*TARGET, "--config", config, *options],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            yield process
        config.unlink()

    def end(self, process: subprocess.Popen[str], rest: str | None = None) -> None:
        """Give the rest of the input, and keep what comes out."""
        self.output, self.log = process.communicate(rest, timeout=60)

    def said(self) -> str:
        """All that was written but the rejects and the dry run's JSON."""
        files = [one for one in self.folder.rglob("*") if one.is_file()]
        others = [one for one in files if one not in {self.rejects, self.dry_run}]
        return "\n".join(
            [self.output, self.log, *(one.read_bytes().decode("latin-1") for one in others)]
        )


@pytest.fixture
def target(tmp_path: Path, parrot: Parrot) -> TargetRun:
    """The target as a program."""
    return TargetRun(tmp_path, parrot)


CUSTOMERS = schema("customers", *ROW, keys=["no"])
REJECTED = {
    "import_id": "4290173355 kanarie",
    "name": "kanarie\0",
    "user": {"id": "kanarie"},
    "field_values": "kanarie 55503141",
    "_sdc_deleted_at": "kanarie",
}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_program_tells_nothing_when_all_goes_well(target: TargetRun, parrot: Parrot) -> None:
    parrot.answer = json.dumps({"id": 8, **ROW}).encode()

    code = target(CUSTOMERS, record("customers", **ROW), state(rows=1))

    assert code == 0, target.log
    assert json.loads(target.output) == {"rows": 1}
    assert leaked(target.said()) == []


def test_only_the_rejects_repeat_a_row_and_only_to_their_owner(
    target: TargetRun, parrot: Parrot
) -> None:
    parrot.write_status = 422
    target.rejects.touch()
    target.rejects.chmod(0o644)
    bad = [
        record("customers", **{**ROW, "no": str(n), k: REJECTED[k]}) for n, k in enumerate(REJECTED)
    ]

    code = target(CUSTOMERS, record("customers", **ROW), *bad, state(rows=6))

    refused = [json.loads(line) for line in target.rejects.read_text().splitlines()]
    assert code == 3, target.log
    assert [one["kind"] for one in refused] == ["invalid"] * len(REJECTED) + ["refused"]
    assert "kanarie@example.com" in refused[-1]["reason"]
    assert "Bearer ***" in refused[-1]["reason"]
    assert SECRET not in target.rejects.read_text()
    assert mode_of(target.rejects) == 0o600
    assert leaked(target.said()) == []


@pytest.mark.parametrize(
    "stream_map",
    [
        {"name": "int(name)"},
        {"name": "email * 10**9"},
        {"__filter__": "email"},
        {"__filter__": "int(email)"},
        {"__alias__": "customers", "x": "record['kanarie']"},
        {"phone": "1/0 if phone else phone"},
    ],
    ids=str,
)
def test_a_stream_map_tells_nothing_of_a_row(
    stream_map: dict[str, str], target: TargetRun, parrot: Parrot
) -> None:
    parrot.write_status = 422

    target(CUSTOMERS, record("customers", **ROW), stream_maps={"customers": stream_map})

    said = target.said().replace("record['kanarie']", "")  # the setting's own words
    assert leaked(said) == []


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "RECORD", "stream": "customers", "record": {"name": "kanarie", "email": ',
        '{"type": "RECORD", "stream": "customers", "record": "kanarie"}',
        '{"type": "RECORD", "stream": "others", "record": {"name": "kanarie"}}',
        '{"type": "kanarie", "record": {"name": "kanarie"}}',
        '["kanarie"]',
        "kanarie",
        '{"type": "RECORD", "stream": "customers", "record": {"name": "kanarie \\udc80"}}',
        '{"type": "BATCH", "stream": "customers", "manifest": ["kanarie"]}',
    ],
    ids=["cut", "no object", "no schema", "type", "list", "text", "surrogate", "batch"],
)
def test_a_line_that_is_no_message_is_not_repeated(
    line: str, target: TargetRun, parrot: Parrot
) -> None:
    parrot.write_status = 422

    target(CUSTOMERS, line)

    assert leaked(target.said()) == []


def test_a_signal_makes_nothing_told(target: TargetRun, parrot: Parrot) -> None:
    parrot.write_status = 422
    parrot.may_answer.clear()

    with target.started(batch_size_rows=1) as process:
        assert process.stdin
        process.stdin.write(lines(CUSTOMERS, record("customers", **ROW)))
        process.stdin.flush()
        assert parrot.was_written_to.wait(30)
        shown = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
        process.send_signal(signal.SIGTERM)
        parrot.may_answer.set()
        target.end(process)

    assert process.returncode == 128 + signal.SIGTERM, target.log
    assert leaked(shown + target.said()) == []


def test_a_dry_run_shows_rows_to_their_owner_alone_and_no_password(
    target: TargetRun, parrot: Parrot
) -> None:
    parrot.has_record = True
    target.dry_run.touch()
    target.dry_run.chmod(0o644)
    user = {"name": "Kanarie", "email": "k@example.com", "password": PASSWORD}

    code = target(
        CUSTOMERS,
        record("customers", **ROW),
        schema("users", *user, keys=[]),
        record("users", **user),
        dry_run=True,
    )

    assert code == 0, target.log
    assert "Kanarie & Zonen" in target.log
    assert "Kanarie & Zonen" in target.dry_run.read_text()
    assert mode_of(target.dry_run) == 0o600
    for text in (target.said(), target.dry_run.read_text()):
        assert SECRET not in text
        assert PASSWORD not in text


ODD_ANSWERS = {
    "id that is a text": {"id": "kanarie"},
    "id that is a list": {"id": ["kanarie"]},
    "no id": {"name": "kanarie"},
    "another id": {"id": 4290173355},
    "odd time": {"id": 7, "updated_at": "kanarie"},
    "odd values": {"id": 7, "name": {"kanarie": "kanarie"}, "import_id": "kanarie"},
    "a list": ["kanarie"],
    "a text": "kanarie",
}


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS)
def test_an_odd_answer_to_a_change_is_not_repeated(
    answer: object, target: TargetRun, parrot: Parrot
) -> None:
    parrot.answer, parrot.has_record = json.dumps(answer).encode(), True

    target(CUSTOMERS, record("customers", **ROW))

    assert "mistake of this program" not in target.log
    assert leaked(target.said()) == []


def test_an_odd_answer_to_a_create_is_not_repeated(target: TargetRun, parrot: Parrot) -> None:
    parrot.answer = json.dumps({"id": "kanarie"}).encode()

    code = target(CUSTOMERS, record("customers", **ROW), request_timeout=0.2)

    assert code == 3, target.log
    assert json.loads(target.rejects.read_text())["kind"] == "unknown"
    assert leaked(target.said()) == []


def test_a_row_that_means_two_records_is_told_in_the_rejects_alone(
    target: TargetRun, parrot: Parrot
) -> None:
    parrot.has_record = parrot.has_twin = True

    code = target(CUSTOMERS, record("customers", **ROW))

    assert code == 3, target.log
    assert json.loads(target.rejects.read_text())["kind"] == "ambiguous"
    assert leaked(target.said()) == []


def test_a_structured_log_of_every_logger_tells_nothing(target: TargetRun, parrot: Parrot) -> None:
    parrot.write_status = 422
    loggers = {name: {"level": "DEBUG"} for name in ("sqlalchemy", "urllib3", "singer_sdk", "")}
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "singer_sdk.logging.StructuredFormatter"}},
        "handlers": {"all": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"level": "DEBUG", "handlers": ["all"]},
        "loggers": loggers,
    }
    (target.folder / "logging.yml").write_text(json.dumps(config))
    target.environment["SINGER_SDK_LOG_CONFIG"] = str(target.folder / "logging.yml")

    target(CUSTOMERS, record("customers", **ROW), state(rows=1))

    assert '"name": "sqlalchemy' in target.log or "sqlalchemy.engine" in target.log
    assert leaked(target.said()) == []


@pytest.mark.parametrize(
    "options", [("--about",), ("--about", "--format=json"), ("--help",)], ids=str
)
def test_what_the_program_says_of_itself_holds_no_setting(
    options: tuple[str, ...], target: TargetRun
) -> None:
    assert target(options=options) == 0, target.log
    assert leaked(target.said()) == []


def test_a_bug_is_told_by_its_place_and_not_in_its_words(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit), bugs_told_by_place(logging.getLogger("target-cirqll")):
        _fail(ROW["name"])

    assert "RuntimeError, raised in" in caplog.text
    assert "ValueError, raised in" in caplog.text
    assert Path(__file__).name in caplog.text
    assert leaked(everything_logged(caplog)) == []


def _fail(words: str) -> None:
    try:
        int(words)
    except ValueError as error:
        raise RuntimeError(words) from error
