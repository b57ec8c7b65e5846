"""The file of rejects: a line of JSON for each row that was refused."""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from cirqll_client.errors import SettingInvalid
from cirqll_client.moments import iso
from cirqll_client.responses import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from cirqll_client.responses import Record
    from target_cirqll.rows import Reject, Row

_OWNER_ONLY = 0o600
_JSON = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a refused row came from, also one that could not be made a ``Row``."""

    stream: str
    """As the input names it."""
    resource: str
    position: int
    key: Mapping[str, Any]
    """Its key properties as they came, an ``id`` that is none included."""
    id: int | None = None
    """The id in Cirqll, where it is known."""
    record: Record | None = None
    """The row as it came, where rejects are to show it."""

    @classmethod
    def of(cls, row: Row, *, stream: str) -> Origin:
        """Take it from a row that was understood."""
        return cls(
            stream=stream,
            resource=row.resource.name,
            position=row.position,
            key=row.key,
            id=row.id,
            record=row.record,
        )


class RejectsFile:
    """Grows by what is refused; earlier runs' lines stay, as STATE has moved past their rows.

    The file is made at the first reject. Threads may share it, and so may processes: each line
    goes out in one write to the file's end. Its methods raise ``SettingInvalid``.
    """

    def __init__(
        self, path: Path, *, with_record: bool, clock: Callable[[], float] = time.time
    ) -> None:
        """Touch nothing yet."""
        self._path = path
        self._with_record = with_record
        self._clock = clock
        self._lock = Lock()
        self._file: int | None = None
        self._is_on_disk = False
        """An ordinary file, neither a pipe nor ``/dev/null``."""
        self._is_torn = False
        """The last line was cut short: a disk was full."""
        self._is_named_durably = False

    def check(self) -> None:
        """Find out whether it can be written, without leaving a trace.

        Folders are not made: a path with a slip in it would hide the rejects somewhere.
        """
        with self._blamed():
            if self._path.exists():
                os.close(_opened_for_its_owner(self._path, os.O_RDWR | os.O_APPEND))
            else:
                TemporaryFile(dir=self._path.parent).close()

    def add(self, origin: Origin, *, reject: Reject) -> None:
        """Write a line."""
        line = self._line(origin, reject)
        with self._lock, self._blamed():
            file = self._opened()
            begin = b"\n" if self._is_torn else b""
            # No second write for what did not go out: another process may have written since.
            self._is_torn = os.write(file, begin + line) < len(begin + line)
            if self._is_torn:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self) -> None:
        """Let what was written outlive a power cut; to be done before STATE moves on."""
        with self._lock, self._blamed():
            if self._file is None or not self._is_on_disk:
                return
            os.fsync(self._file)
            if not self._is_named_durably:
                self._sync_folder()
                self._is_named_durably = True

    def close(self) -> None:
        """Write no more, for now."""
        with self._lock:
            file, self._file = self._file, None
            if file is not None:
                os.close(file)

    def _line(self, origin: Origin, reject: Reject) -> bytes:
        facts = {
            "time": iso(self._clock()),
            "stream": origin.stream,
            "resource": origin.resource,
            "position": origin.position,
            "key": dict(origin.key),
            "id": origin.id,
            "kind": reject.kind,
            "field": reject.field,
            "reason": reject.reason,
        }
        if self._with_record:
            facts["record"] = origin.record
        return exact_json(facts) + b"\n"

    def _opened(self) -> int:
        if self._file is None:
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
            self._file = _opened_for_its_owner(self._path, flags)
            status = os.fstat(self._file)
            self._is_on_disk = stat.S_ISREG(status.st_mode)
            self._is_torn = self._is_on_disk and _ends_within_a_line(self._file, status.st_size)
        return self._file

    def _sync_folder(self) -> None:
        """Make the file's name durable, where the system lets a folder be synced."""
        with suppress(OSError):
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """Blame the setting for what the system refuses."""
        try:
            yield
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            msg = (
                f"The file of rejects {self._path} cannot be written ({reason}). Correct the "
                "setting rejects_path: the folder must be there, with room on its disk, and this "
                "user must be able to write to it. STATE does not move past a reject that is not "
                "in the file."
            )
            raise SettingInvalid(msg) from error


def exact_json(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """Write JSON on one line, decimals exact and readable; half a surrogate pair is escaped."""
    try:
        return _JSON.encode(value)
    except UnicodeEncodeError:
        return encoded(value)


def _opened_for_its_owner(path: Path, flags: int) -> int:
    """Open a file; an ordinary one that was there before is closed to others, or an ``OSError``."""
    file = os.open(path, flags, _OWNER_ONLY)
    try:
        mode = os.fstat(file).st_mode
        if stat.S_ISREG(mode) and stat.S_IMODE(mode) & ~_OWNER_ONLY:
            os.fchmod(file, _OWNER_ONLY)
    except OSError:
        os.close(file)
        raise
    return file


def _ends_within_a_line(file: int, size: int) -> bool:
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"
