"""The file of rejects: nothing in it is lost, and each line can be repaired and run again."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.errors import SettingInvalid
from cirqll_client.resources import RESOURCES
from cirqll_client.responses import decoded
from target_cirqll.rejects import Origin, RejectsFile, exact_json
from target_cirqll.rows import Reject, Row
from tests.tap.odd_json import values

if TYPE_CHECKING:
    from collections.abc import Callable

CUSTOMER = next(one for one in RESOURCES if one.name == "customer")
TOO_LONG = Reject("refused", "De naam is té lang.", "name")
RECORD = {"import_id": 7, "name": "Bakkerij Zoë", "price": Decimal("12.50"), "big": 10**30}
ORIGIN = Origin(
    stream="customers", resource="customer", position=3, key={"import_id": 7}, record=RECORD
)
PROJECT = Path(__file__).parents[2]


def rejects_file(path: Path, *, with_record: bool = False) -> RejectsFile:
    return RejectsFile(path, with_record=with_record, clock=lambda: 1_750_000_000.0)


def written(path: Path, origin: Origin, *, with_record: bool = False) -> list[Any]:
    """Give the lines of the file after one more reject."""
    with closing(rejects_file(path, with_record=with_record)) as file:
        file.add(origin, reject=TOO_LONG)
    return [decoded(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "rejects.jsonl"


def test_a_line_tells_who_was_refused_when_and_why(path: Path) -> None:
    [line] = written(path, ORIGIN)

    assert line == {
        "time": "2025-06-15T15:06:40Z",
        "stream": "customers",
        "resource": "customer",
        "position": 3,
        "key": {"import_id": 7},
        "id": None,
        "kind": "refused",
        "field": "name",
        "reason": "De naam is té lang.",
    }


def test_it_can_be_read_by_a_person(path: Path) -> None:
    written(path, ORIGIN, with_record=True)

    text = path.read_text("utf-8")
    assert "De naam is té lang." in text
    assert '"name":"Bakkerij Zoë","price":12.50,"big":1000000000000000000000000000000}' in text


def test_a_row_that_was_understood_tells_its_origin() -> None:
    row = Row(
        position=9, resource=CUSTOMER, id=4, key={"code": "x"}, fields={}, custom_fields={},
        parents={}, record=RECORD,
    )  # fmt: skip

    assert Origin.of(row, stream="clients") == Origin(
        stream="clients", resource="customer", position=9, key={"code": "x"}, id=4, record=RECORD
    )


def test_without_a_reject_there_is_no_file(path: Path) -> None:
    with closing(rejects_file(path)) as file:
        file.check()
        file.sync()

    assert list(path.parent.iterdir()) == []


def test_only_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        written(path, ORIGIN)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_later_run_keeps_the_lines_of_the_earlier_one(path: Path) -> None:
    written(path, ORIGIN)

    lines = written(path, ORIGIN)

    assert len(lines) == 2


def test_a_line_that_a_full_disk_cut_short_does_not_spoil_the_next(path: Path) -> None:
    path.write_text('{"time": "2025-')

    written_after = written_text(path)

    assert [json.loads(line)["position"] for line in written_after[1:]] == [3]


def written_text(path: Path) -> list[str]:
    """Give the lines as text, since the first one is no JSON."""
    with closing(rejects_file(path)) as file:
        file.add(ORIGIN, reject=TOO_LONG)
    return path.read_text("utf-8").splitlines()


JSON_VALUES = st.one_of(
    values.map(lambda text: decoded(text.encode())),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.dictionaries(st.text(max_size=4), JSON_VALUES, max_size=4))
def test_a_record_comes_back_from_the_file_as_it_came(record: dict[str, Any]) -> None:
    message = {"type": "RECORD", "stream": "customers", "record": record}

    line = exact_json(message)

    assert b"\n" not in line
    assert exactly(decoded(line)) == exactly(message)


def exactly(value: Any) -> Any:
    """Give it so that ``12.5`` is not ``12.50``, nor ``1`` the same as ``true``."""
    if isinstance(value, dict):
        return {name: exactly(one) for name, one in value.items()}
    if isinstance(value, list):
        return [exactly(one) for one in value]
    number = Decimal(repr(value)) if isinstance(value, float) else value
    return (type(number), str(number))


def test_the_rows_of_the_file_can_be_run_again(path: Path) -> None:
    # Given
    text = b'{"id": null, "price": 12.50, "total": 1E+2, "name": "Zo\\u00eb \\ud83d", "tags": [1]}'
    record = decoded(text)
    origin = Origin(stream="customers", resource="customer", position=1, key={}, record=record)
    # When
    [line] = written(path, origin, with_record=True)
    message = {"type": "RECORD", "stream": line["stream"], "record": line["record"]}
    # Then
    assert exactly(decoded(exact_json(message))["record"]) == exactly(record)


@given(st.dictionaries(st.text(), JSON_VALUES, max_size=3))
def test_keys_are_of_any_type(key: dict[str, Any]) -> None:
    origin = Origin(stream="s", resource="customer", position=1, key=key)
    file = rejects_file(Path("unused"))

    line = file._line(origin, TOO_LONG)

    assert exactly(decoded(line)["key"]) == exactly(key)


def test_two_runs_do_not_mix_their_lines(path: Path) -> None:
    # Given
    program = """
import sys
from pathlib import Path
from target_cirqll.rejects import Origin, RejectsFile
from target_cirqll.rows import Reject
file = RejectsFile(Path(sys.argv[1]), with_record=True)
for position in range(300):
    record = {"filler": sys.argv[2] * 20_000}
    origin = Origin(stream="s", resource="note", position=position, key={}, record=record)
    file.add(origin, reject=Reject("invalid", "x"))
"""
    # When
    runs = [
        subprocess.Popen([sys.executable, "-B", "-c", program, str(path), name], cwd=PROJECT)
        for name in "ab"
    ]
    codes = [run.wait() for run in runs]
    # Then
    lines = [json.loads(line) for line in path.read_bytes().split(b"\n") if line]
    by_run = {
        name: [one["position"] for one in lines if one["record"]["filler"][0] == name]
        for name in "ab"
    }
    assert (codes, by_run) == ([0, 0], {name: list(range(300)) for name in "ab"})


def folder_missing(folder: Path) -> Path:
    return folder / "missing" / "rejects.jsonl"


def folder_is_a_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file" / "rejects.jsonl"


def is_a_folder(folder: Path) -> Path:
    return folder


def name_too_long(folder: Path) -> Path:
    return folder / ("x" * 300)


def no_name_at_all(folder: Path) -> Path:
    return folder / "a\0b"


UNWRITABLE = [folder_missing, folder_is_a_file, is_a_folder, name_too_long]


@pytest.mark.parametrize("unwritable", UNWRITABLE)
def test_a_path_that_cannot_be_written_is_told_at_the_start(
    tmp_path: Path, unwritable: Callable[[Path], Path]
) -> None:
    file = rejects_file(unwritable(tmp_path))

    with pytest.raises(SettingInvalid, match="Correct the setting rejects_path"):
        file.check()


@pytest.mark.parametrize("unwritable", [*UNWRITABLE, no_name_at_all])
def test_a_reject_that_cannot_be_written_stops_the_run(
    tmp_path: Path, unwritable: Callable[[Path], Path]
) -> None:
    file = rejects_file(unwritable(tmp_path))

    with pytest.raises(SettingInvalid, match="Correct the setting rejects_path"):
        file.add(ORIGIN, reject=TOO_LONG)


def test_the_sentence_names_the_file_the_reason_and_the_remedy(tmp_path: Path) -> None:
    path = folder_missing(tmp_path)
    with pytest.raises(SettingInvalid) as told:
        rejects_file(path).check()

    assert told.value.sentence == (
        f"The file of rejects {path} cannot be written (No such file or directory). Correct the "
        "setting rejects_path: the folder must be there, with room on its disk, and this user "
        "must be able to write to it. STATE does not move past a reject that is not in the file."
    )


def test_a_folder_that_may_not_be_written_to_is_told_at_the_start(tmp_path: Path) -> None:
    """As another user, since root may write anywhere."""
    tmp_path.chmod(0o555)
    program = """
import os, sys
from pathlib import Path
from target_cirqll.rejects import RejectsFile
file = RejectsFile(Path("rejects.jsonl"), with_record=False)
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.seteuid(65534)
file.check()
"""
    done = python(program, str(tmp_path))

    assert "rejects.jsonl cannot be written (Permission denied)" in done.stderr


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own."""
    return subprocess.run(
        [sys.executable, "-B", "-c", program, *arguments],
        capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip


FULL_DISK = """
import resource, sys
from pathlib import Path
from target_cirqll.rejects import Origin, RejectsFile
from target_cirqll.rows import Reject
resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
file = RejectsFile(Path(sys.argv[1]), with_record=True)
for filler in [10, 3000]:
    origin = Origin(stream="s", resource="note", position=1, key={}, record={"x": "x" * filler})
    file.add(origin, reject=Reject("invalid", "x"))
"""


def test_a_disk_that_is_full_is_told_though_part_of_the_line_was_taken(path: Path) -> None:
    done = python(FULL_DISK, str(path))

    assert "cannot be written (No space left on device)" in done.stderr
    assert path.stat().st_size == 1024
    assert [json.loads(line)["stream"] for line in written_text(path)[::2]] == ["s", "customers"]


def test_what_is_no_ordinary_file_may_be_written_to() -> None:
    with closing(rejects_file(Path(os.devnull))) as file:
        file.check()
        file.add(ORIGIN, reject=TOO_LONG)
        file.sync()


def test_after_it_was_closed_it_goes_on_behind_what_is_there(path: Path) -> None:
    with closing(rejects_file(path)) as file:
        file.add(ORIGIN, reject=TOO_LONG)
        file.close()
        file.add(ORIGIN, reject=TOO_LONG)
        file.sync()
        file.sync()

    assert len(path.read_text("utf-8").splitlines()) == 2


def test_once_closed_it_holds_nothing_open(path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    file = rejects_file(path)
    file.add(ORIGIN, reject=TOO_LONG)
    file.sync()

    file.close()
    file.close()
    file.sync()

    assert len(list(Path("/dev/fd").iterdir())) == before
