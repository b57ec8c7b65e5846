"""What the Singer specification asks of a target, and what is done about input that breaks it."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import replace
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.target.target_runs import lines, record, schema, state

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.tap.conftest import Source
    from tests.target.target_runs import TargetRuns

SECONDS_TO_STOP = 5.0
IMPATIENT = """
import sys
from target_cirqll.target import TargetCirqll

class Impatient(TargetCirqll):
    _MAX_RECORD_AGE_IN_MINUTES = -1

Impatient.cli()
"""
NOTES = schema("notes", "description")


def say(process: subprocess.Popen[str], *messages: Any) -> None:
    """Give a run more input, and leave it open."""
    assert process.stdin
    process.stdin.write(lines(*messages))
    process.stdin.flush()


def heard(stream: IO[str] | None) -> Any:
    """Wait for a line of JSON."""
    assert stream
    return json.loads(stream.readline())


def ended_by(number: signal.Signals, process: subprocess.Popen[str]) -> tuple[str, str]:
    """End a run whose input stays open; what it wrote and logged since."""
    begun = time.monotonic()
    process.send_signal(number)
    process.wait(timeout=20)
    assert time.monotonic() - begun < SECONDS_TO_STOP
    assert process.returncode == 128 + number
    output, log = process.communicate()
    assert "Traceback" not in log
    return output, log


def wait_for(condition: Any) -> None:
    """Look again and again, for some seconds."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def running(run_target: TargetRuns) -> Iterator[Any]:
    """Starts runs whose input stays open; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start(**settings: Any) -> subprocess.Popen[str]:
        started.append(run_target.start(**settings))
        return started[-1]

    yield start
    for process in started:
        with process:
            process.kill()


def texts(source: Source, resource: str = "note", field: str = "description") -> list[str]:
    """What is in Cirqll; rows of one batch are created side by side."""
    return sorted(row[field] for row in source.sandbox.rows(resource).all())


@pytest.mark.parametrize("stream", ["notes", "note"])
def test_rows_of_a_stream_become_records(
    stream: str, run_target: TargetRuns, source: Source
) -> None:
    run = run_target(schema(stream, "description"), record(stream, description="a"), state(seen=1))

    assert (run.code, run.states) == (0, [{"seen": 1}])
    assert texts(source) == ["a"]


def test_an_input_without_anything_is_a_run_without_anything(
    run_target: TargetRuns, source: Source
) -> None:
    run = run_target()

    assert (run.code, run.output) == (0, "")
    assert source.sandbox.requests == ()


def test_a_state_comes_out_as_it_came_in(run_target: TargetRuns) -> None:
    exact = '{"value": {"a": 12345678901234567890123, "b": 1.10, "c": "\\ud800"}, "type": "STATE"}'

    run = run_target(exact)

    assert run.states == [{"a": 12345678901234567890123, "b": Decimal("1.10"), "c": "\ud800"}]
    assert "1.10" in run.output


def test_a_state_with_nothing_before_it_comes_out_at_once(running: Any) -> None:
    process = running()

    say(process, NOTES, state(seen=0))

    assert heard(process.stdout) == {"seen": 0}


def test_a_state_comes_out_as_soon_as_its_rows_are_written(running: Any, source: Source) -> None:
    process = running(batch_size_rows=2)

    say(
        process,
        NOTES,
        record("notes", description="a"),
        state(seen=1),
        record("notes", description="b"),
    )

    assert heard(process.stdout) == {"seen": 1}
    assert texts(source) == ["a", "b"]


def test_a_state_is_not_ahead_of_the_rows_that_wait(running: Any, source: Source) -> None:
    process = running(batch_size_rows=3)

    say(process, NOTES, *(record("notes", description=str(i)) for i in range(3)), state(seen=3))
    say(process, record("notes", description="3"), state(seen=4))

    assert heard(process.stdout) == {"seen": 3}
    assert len(texts(source)) == 3
    rest, _ = process.communicate()
    assert rest.splitlines() == ['{"seen":4}']


def test_rows_that_wait_under_an_older_schema_are_written_first(
    running: Any, source: Source
) -> None:
    process = running()

    say(
        process,
        NOTES,
        record("notes", description="a"),
        state(seen=1),
        schema("notes", "description", "more"),
    )

    assert heard(process.stdout) == {"seen": 1}
    assert texts(source) == ["a"]


def test_a_schema_that_says_nothing_new_does_not_cut_a_batch_short(
    run_target: TargetRuns, source: Source
) -> None:
    rows = [record("notes", id=i, description="a") for i in (1, 2, 3)]
    source.sandbox.rows("note").insert_many([{"description": "a"} for _ in rows])

    run_target(*(message for row in rows for message in (NOTES, row)))

    assert len(source.sandbox.requests) == 1


def test_rows_that_wait_for_long_are_written_when_the_next_message_comes(
    run_target: TargetRuns, source: Source
) -> None:
    config = run_target.file("config", run_target.config)
    given = lines(
        NOTES,
        record("notes", description="a"),
        state(n=1),
        record("notes", description="b"),
        "broken",
    )

    run = run_target.command(sys.executable, "-c", IMPATIENT, "--config", config, given=given)

    assert texts(source) == ["a", "b"]
    assert run.states == [{"n": 1}]


def test_two_streams_for_one_resource_keep_their_order(
    run_target: TargetRuns, source: Source
) -> None:
    source.sandbox.rows("note").insert(description="old")
    messages = [schema("notes", "description"), schema("note", "description")]
    names = ["note", "notes", "note", "notes"]
    messages += [record(name, id=1, description=str(i)) for i, name in enumerate(names)]

    run = run_target(*messages)

    assert run.code == 0
    assert texts(source) == ["3"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("canary {", "is no Singer message, a JSON object with a type. Only messages may come"),
        ("[1]", "is no Singer message"),
        ('{"canary": 1}', "is no Singer message"),
        ('{"type": 5}', "is no Singer message"),
        ("[" * 100_000, "is no Singer message"),
        ('{"type": "canary-of-a-type"}', "is a message of a type that Singer does not have"),
        ('{"type": "RECORD", "stream": "notes"}', "is a RECORD message whose part record is not"),
        (
            '{"type": "RECORD", "record": {"description": "canary"}}',
            "is a RECORD message whose part str",
        ),
        ('{"type": "SCHEMA", "stream": "notes"}', "is a SCHEMA message whose part schema is not"),
        ('{"type": "SCHEMA", "stream": "notes", "schema": {}}', "is a SCHEMA message whose part"),
        (
            '{"type": "SCHEMA", "stream": "n", "schema": {"properties": {}}, "key_properties": 5}',
            "is a SCHEMA message whose part key_properties is not as the Singer specification",
        ),
        ('{"type": "STATE"}', "is a STATE message whose part value is not"),
    ],
    ids=lambda value: value[:40],
)
def test_a_line_that_is_no_message_is_named_by_its_number(
    line: str, words: str, run_target: TargetRuns
) -> None:
    run = run_target(NOTES, state(seen=1), "", line, state(seen=2))

    assert len(run.sentences("ERROR")) == 1
    assert run.sentences("ERROR")[0].startswith(f"Line 4 of the input {words}")
    assert (run.code, run.states) == (1, [{"seen": 1}])
    assert "canary" not in run.log
    assert "Traceback" not in run.log


def test_a_line_that_is_not_utf_8_is_no_message(run_target: TargetRuns) -> None:
    run = run_target('{"type": "RECORD", "stream": "notes", "record": {"description": "\udcff"}}')

    assert run.code == 1
    assert run.sentences("ERROR")[0].startswith("Line 1 of the input is no Singer message")


def test_a_row_before_its_schema_is_one_sentence(run_target: TargetRuns) -> None:
    run = run_target(state(seen=1), record("notes", description="canary"))

    assert run.sentences("ERROR") == [
        (
            "A row of the stream notes came before its SCHEMA message, so nothing is known of its "
            "key: the tap that wrote it has to be mended."
        )
    ]
    assert (run.code, run.states) == (1, [{"seen": 1}])
    assert "canary" not in run.log


def test_rows_in_files_are_refused(run_target: TargetRuns) -> None:
    batch = {"type": "BATCH", "stream": "notes", "encoding": {}, "manifest": ["file://canary"]}

    run = run_target(NOTES, batch)

    assert run.sentences("ERROR") == [
        (
            "The stream notes comes as files (BATCH messages), which target-cirqll does not read: "
            "remove batch_config from the settings of the tap."
        )
    ]
    assert run.code == 1


def test_a_new_version_of_a_table_deletes_nothing(run_target: TargetRuns, source: Source) -> None:
    source.sandbox.rows("note").insert(description="of a person's own")
    version = {"type": "ACTIVATE_VERSION", "stream": "notes", "version": 2}

    run = run_target(NOTES, version, version, on_delete="delete", max_deletions=1)

    assert run.code == 0
    assert texts(source) == ["of a person's own"]
    assert sum("ACTIVATE_VERSION" in one for one in run.sentences("INFO")) == 1


def test_a_row_that_is_marked_as_deleted_reaches_the_policy(
    run_target: TargetRuns, source: Source
) -> None:
    source.sandbox.rows("note").insert_many([{"description": "a"}, {"description": "b"}])
    deleted = record("notes", id=1, _sdc_deleted_at="2026-01-01T00:00:00Z")

    run = run_target(NOTES, deleted, on_delete="delete", max_deletions=1)

    assert run.code == 0
    assert texts(source) == ["b"]


def test_a_time_that_is_none_is_not_the_end_of_the_run(
    run_target: TargetRuns, source: Source
) -> None:
    """The SDK's own parsing would raise, by the schema of the source."""
    notes = schema("notes", "description")
    notes["schema"]["properties"]["seen"] = {"type": "string", "format": "date-time"}

    run = run_target(notes, record("notes", description="b", seen="soon"))

    assert run.code == 0
    assert texts(source) == ["b"]


def test_rejects_give_an_exit_code_of_their_own(run_target: TargetRuns, source: Source) -> None:
    rows = (NOTES, record("notes", id="none"), record("notes", description="b"), state(seen=2))

    strict, lenient = run_target(*rows), run_target(*rows, fail_on_rejects=False)

    assert (strict.code, strict.states) == (3, [{"seen": 2}])
    assert lenient.code == 0
    assert "b" in texts(source)


def test_stream_maps_rename_streams_and_fields(run_target: TargetRuns, source: Source) -> None:
    people = schema("public-people", "full_name")
    maps = {"public-people": {"__alias__": "customers", "name": "full_name.upper()"}}

    run = run_target(people, record("public-people", full_name="Jan"), stream_maps=maps)

    assert run.code == 0
    assert texts(source, "customer", "name") == ["JAN"]


def test_a_stream_that_its_map_removes_may_have_any_name(run_target: TargetRuns) -> None:
    rows = (schema("public-orders", "total"), record("public-orders", total=1), state(seen=1))

    run = run_target(*rows, stream_maps={"public-orders": None})

    assert (run.code, run.states) == (0, [{"seen": 1}])


def test_a_stream_that_is_no_resource_ends_the_run_before_anything_is_sent(
    run_target: TargetRuns, source: Source
) -> None:
    run = run_target(schema("public-notes"), record("public-notes", description="canary"))

    assert run.code == 1
    assert run.sentences("ERROR")[0].startswith("The stream public-notes is no resource of Cirqll")
    assert source.sandbox.requests == ()


def test_a_row_on_which_a_stream_map_fails_is_a_reject_and_the_others_are_written(
    run_target: TargetRuns, source: Source
) -> None:
    rows = [record("notes", description=text) for text in ("a", None, "canary-b")]

    run = run_target(NOTES, *rows, stream_maps={"notes": {"description": "self.upper()"}})

    assert run.code == 3
    assert texts(source) == ["A", "CANARY-B"]
    reject = json.loads((run_target.folder / "cirqll-rejects.jsonl").read_text())
    assert reject["reason"] == (
        "The stream map of the stream notes fails on this row (AttributeDoesNotExist): correct it."
    )


@pytest.mark.parametrize(
    ("maps", "words"),
    [
        (
            {"notes": {"description": "a +"}},
            "The setting stream_maps cannot be used for the stream notes: ",
        ),
        ({"notes": {"__else__": "x"}}, "The setting stream_maps.notes.__else__ is wrong: it must"),
    ],
)
def test_stream_maps_that_cannot_be_used_are_one_sentence(
    maps: dict[str, Any], words: str, run_target: TargetRuns
) -> None:
    run = run_target(NOTES, stream_maps=maps)

    assert len(run.sentences("ERROR")) == 1
    assert run.sentences("ERROR")[0].startswith(words)
    assert run.code == 1
    assert "Traceback" not in run.log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_that_waits_for_input(
    number: signal.Signals, running: Any, source: Source
) -> None:
    process = running(batch_size_rows=2)
    say(
        process,
        NOTES,
        record("notes", description="a"),
        state(seen=1),
        record("notes", description="b"),
    )
    assert heard(process.stdout) == {"seen": 1}
    say(process, state(seen=2), record("notes", description="waits"))
    assert heard(process.stdout) == {"seen": 2}

    time.sleep(0.3)  # until it waits for the next line

    output, log = ended_by(number, process)

    assert output == ""
    assert texts(source) == ["a", "b"]
    assert f"Stopped by {number.name}; the next run goes on from the last state" in log


def test_a_signal_in_the_middle_of_writing_ends_what_is_in_flight(
    running: Any, source: Source
) -> None:
    source.sandbox.behaviour = replace(source.sandbox.behaviour, latency_seconds=0.3)
    process = running(batch_size_rows=100, concurrency=1)
    rows = [
        message for i in range(100) for message in (record("notes", description=f"{i}"), state(n=i))
    ]
    say(process, NOTES, *rows)
    wait_for(lambda: len(texts(source)) > 1)

    output, _ = ended_by(signal.SIGTERM, process)

    assert len(texts(source)) < 100
    assert json.loads(output.splitlines()[-1]) == {"n": len(texts(source)) - 1}


def test_a_second_signal_ends_at_once(running: Any, source: Source) -> None:
    source.sandbox.behaviour = replace(source.sandbox.behaviour, latency_seconds=30)
    process = running(batch_size_rows=1)
    say(process, NOTES, record("notes", description="a"))
    wait_for(lambda: source.sandbox.requests or process.poll() is not None)

    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)

    assert process.poll() is None
    ended_by(signal.SIGTERM, process)


def test_a_reader_of_the_states_that_went_away_is_told_of(running: Any) -> None:
    process = running()
    process.stdout.close()
    process.stdout = None

    _, log = process.communicate(lines(NOTES, state(seen=1)))

    assert process.returncode == 1
    assert "The program that reads the output of target-cirqll went away" in log
    assert "Traceback" not in log


def test_a_signal_ends_a_run_that_waits_for_its_rate_budget(running: Any, source: Source) -> None:
    process = running(batch_size_rows=5, requests_per_minute=4)
    rows = [
        message for i in range(5) for message in (record("notes", description=f"{i}"), state(n=i))
    ]
    say(process, NOTES, *rows)
    wait_for(lambda: len(source.sandbox.requests) == 4)
    time.sleep(0.3)

    ended_by(signal.SIGTERM, process)

    assert len(source.sandbox.requests) == 4
