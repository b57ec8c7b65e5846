"""One run of the target: rows and states come in, records are written, states go out."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, TextIO

from cirqll_client.amounts import counted
from cirqll_client.connection import connect
from cirqll_client.errors import CirqllError, SettingInvalid
from cirqll_client.resources import RESOURCES
from target_cirqll.actions import Nothing
from target_cirqll.assembly import parts_of
from target_cirqll.batch import Refused
from target_cirqll.company import check_ledger
from target_cirqll.creating import Stopped
from target_cirqll.entrance import StreamEntrance
from target_cirqll.in_flight import NotBegun
from target_cirqll.orphans import Orphans
from target_cirqll.parents import Resolved
from target_cirqll.preview import Preview
from target_cirqll.rejects import Origin, RejectsFile
from target_cirqll.row_reader import RowReader
from target_cirqll.settlement import Settlement
from target_cirqll.summary import Summary

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from cirqll_client.resources import Resource
    from cirqll_client.settings import ConnectionSettings
    from target_cirqll.actions import Action, Deed
    from target_cirqll.batch import Outcome
    from target_cirqll.policy import Policy
    from target_cirqll.rows import Reject, Row
    from target_cirqll.settings import Reporting
    from target_cirqll.settlement import State

MOST_ORPHANS = 10_000
"""Rows that wait for their parents until the end; beyond that they are tried at once."""
_NAP_SECONDS = 0.2
_SUPERSEDED = "a later row for the same record followed"


class TooManyRejects(CirqllError):
    """More rows were refused than ``max_rejects`` allows."""


class Run:
    """Writes the rows of one input. For one thread, but for ``stop``."""

    def __init__(  # noqa: PLR0913 - what comes in, what goes out
        self,
        settings: ConnectionSettings,
        policy: Policy,
        reporting: Reporting,
        *,
        outlet: Callable[[State], None],
        logger: logging.Logger,
        drain: Callable[[Resource], None] = lambda _resource: None,
        report: TextIO = sys.stderr,
    ) -> None:
        """Open the connection; nothing is sent yet. Raises any ``CirqllError``.

        ``outlet`` is given each state whose rows are settled. ``drain`` is asked for the rows of a
        resource that wait elsewhere, when they may be the parents of others.
        """
        self._settings = settings
        self._policy = policy
        self._reporting = reporting
        self._outlet = outlet
        self._logger = logger
        self._drain = drain
        self._report = report
        self._is_stopped = False
        self._checked: set[str] = set()
        self._position = 0
        self._streams: dict[int, str] = {}
        self._stream_of: dict[tuple[str, tuple[str, ...]], str] = {}
        self._orphans = Orphans(policy)
        self._settlement = Settlement()
        self.summary = Summary(logger=logger, is_dry=self.is_dry)
        self._preview = Preview() if self.is_dry else None
        self._rejects = RejectsFile(
            reporting.rejects_path, with_record=reporting.rejects_with_record
        )
        self._opened = ExitStack()
        self._opened.callback(self._rejects.close)
        with ExitStack() as failing:
            failing.callback(self._opened.close)
            self._check_paths()
            connection = connect(
                settings, on_sent=self.summary.sent, on_wait=self._waited, pause=self._pause
            )
            self._opened.callback(connection.close)
            self._connection = connection
            self._parts = parts_of(
                connection,
                policy,
                request_timeout=float(settings.request_timeout),
                is_dry=self.is_dry,
                is_stopping=self._is_stopping,
                on_wait=self._waited,
                pause=self._pause,
            )
            self._opened.callback(self._parts.close)
            failing.pop_all()

    def _check_paths(self) -> None:
        """Find out before anything is read whether what is to be told can be written."""
        if self._preview is not None and self._reporting.dry_run_path is not None:
            self._preview.write_json(self._reporting.dry_run_path)
        else:
            self._rejects.check()

    @property
    def is_dry(self) -> bool:
        """Whether nothing is to be written."""
        return self._reporting.dry_run_path is not None

    @property
    def has_rejects(self) -> bool:
        """Whether any row was refused."""
        return self.summary.rejects > 0

    def entrance(
        self, stream: str, resource: Resource, *, key_properties: Sequence[str]
    ) -> StreamEntrance:
        """Prepare for the rows of a stream. Raises ``SettingInvalid``."""
        self._check_keys(stream, resource, key_properties)
        self.summary.began(stream)
        reader = RowReader(
            resource,
            key_properties=tuple(key_properties),
            timestamps=self._connection.timestamps,
            write_custom_fields=self._policy.write_custom_fields,
            keeps_record=self._reporting.rejects_with_record,
        )
        return StreamEntrance(
            self, stream, reader, resource=resource, keys=tuple(key_properties), logger=self._logger
        )

    def _check_keys(self, stream: str, resource: Resource, key_properties: Sequence[str]) -> None:
        """Refuse two streams of one resource whose keys could not be told apart."""
        keys = tuple(sorted({*key_properties} - {"id"}))
        other = self._stream_of.setdefault((resource.name, keys), stream)
        if keys and other != stream:
            msg = (
                f"The streams {other} and {stream} are both written to {resource.stream}, with the "
                f"same key ({', '.join(keys)}), so a row of one would be taken for a row of the "
                "other. Write them in two runs, each with a name of its own in the setting source."
            )
            raise SettingInvalid(msg)

    def received(self, stream: str) -> int:
        """Count a row; give its position."""
        self._position += 1
        self._settlement.received(self._position)
        self._streams[self._position] = stream
        return self._position

    def reject(self, origin: Origin, reject: Reject) -> None:
        """Note a row that is refused, which settles it. Raises ``TooManyRejects``."""
        self._refuse(origin, reject)
        self._check_rejects()

    def write(self, resource: Resource, rows: Sequence[Row]) -> None:
        """Write a batch. STATE goes out for what is settled, also when this raises."""
        try:
            self._check_ledger(resource, rows)
            self._write(resource, self._with_parents(rows))
            if len(self._orphans) > MOST_ORPHANS:
                self._write_orphans()
        except Stopped:
            self._logger.debug("The batch was left before it began.")
        finally:
            self._give_state()

    def state(self, value: State) -> None:
        """Give a state out as soon as the rows before it are settled."""
        self._settlement.offer(value)
        self._give_state()

    def finish(self) -> None:
        """Try the rows once more that wait for their parents.

        A dry run raises at its end, when it has seen everything, what stops others in the middle.
        """
        try:
            self._write_orphans()
        finally:
            self._give_state()
        if self._preview is not None and not self._is_stopped:
            self._preview.finish(warnings=self._parts.guard.sentences())
            self._parts.guard.check_all()

    def stop(self) -> None:
        """Begin nothing new; what is in flight ends."""
        self._is_stopped = True

    def close(self) -> None:
        """Report, sum up, and give everything back that was opened; also after an error."""
        with self._opened:
            self.summary.log_summary()
            if not self._stream_of:
                self._logger.warning(
                    "The input has no stream, so there was nothing to write: check what the tap "
                    "selects."
                )
            if self.has_rejects and not self.is_dry:
                self._logger.warning(
                    "What was rejected, and why, is in %s.", self._reporting.rejects_path
                )
            if self._preview is not None and self._reporting.dry_run_path is not None:
                self._report.write(self._preview.text())
                self._preview.write_json(self._reporting.dry_run_path)
                self._logger.info("All of it, as JSON, is in %s.", self._reporting.dry_run_path)

    def _check_ledger(self, resource: Resource, rows: Sequence[Row]) -> None:
        """Make sure, before it matters, that the ledger is the right one for where rows go."""
        if resource.name in self._checked or not any(row.key or row.id is None for row in rows):
            return
        if not self._checked:
            check_ledger(self._connection, self._settings, is_dry=self.is_dry)
        self._checked.add(resource.name)
        self._warn_of_rows_without_key(resource, rows)
        if resource.name not in self._policy.match_on and self._policy.write_mode != "update":
            self._warn_of_lost_ledger(resource)

    def _warn_of_rows_without_key(self, resource: Resource, rows: Sequence[Row]) -> None:
        """Say that a row which nothing tells apart is another one once it changes."""
        fields = self._policy.match_on.get(resource.name, ())
        if any(
            row.id is None and not row.key and all(row.fields.get(name) is None for name in fields)
            for row in rows
        ):
            self._logger.warning(
                "%s: there are rows without id, key, or a value to match by. They are known by all "
                "that they say, so a row that changes becomes one more record. Give the stream a "
                "key, or name a field in match_on.",
                resource.stream,
            )

    def _warn_of_lost_ledger(self, resource: Resource) -> None:
        """Say that rows without a match key are new to a ledger that knows none of them."""
        if resource.name in self._parts.ledger.counts():
            return
        total = self._parts.live.total(resource)
        if total:
            self._logger.warning(
                "The store knows no rows that were written to %s, and %s there. If this is the "
                "first run, all is well. If not, the store is another one than before, and rows "
                "that were written before are created again: set store_url to where it was, or "
                "match_on to a field by which they are found.",
                resource.stream,
                f"{total:,} are" if total > 1 else "1 is",
            )

    def _write(self, resource: Resource, rows: list[Row]) -> None:
        """Write rows that have their parents; ends early, without an error, for a signal."""
        try:
            if rows and not self._is_stopping():
                for outcome in self._parts.batches.written(resource, rows):
                    self._note(outcome)
                    self.summary.log_line()
        except (NotBegun, Stopped):
            self._logger.debug("The batch was left before its end.")
        self._check_rejects()

    def _with_parents(self, rows: Sequence[Row]) -> list[Row]:
        """Give the rows whose parents are known; the others wait until the end."""
        came = {row.position: row for row in rows}
        result = self._resolved(rows)
        for row, _ in result.orphans:
            self._orphans.add(row)
        ready = []
        for row in result.rows:
            if self._orphans.holds_back(row):
                # As it came: its parent may be gone when its turn comes.
                self._orphans.add(came[row.position])
            else:
                ready.append(row)
        return ready

    def _resolved(self, rows: Sequence[Row]) -> Resolved:
        """Look for the parents of rows, also among those that wait to be written themselves."""
        if not any(row.parents for row in rows):
            return Resolved(list(rows))
        try:
            result = self._parts.parents.resolved(rows)
            waited_for = {
                parent.resource.name: parent.resource
                for row, _ in result.orphans
                for parent in row.parents.values()
            }
            for resource in waited_for.values():
                self._drain(resource)
            if waited_for:
                result = self._parts.parents.resolved(rows)
        except Stopped:
            return Resolved()
        for row, reject in result.refused:
            self._refuse(self._origin(row), reject)
        return result

    def _write_orphans(self) -> None:
        """Try the rows that wait once more, those first that others may wait for."""
        for resource in RESOURCES:
            waiting = self._orphans.taken(resource)
            if not waiting or self._is_stopping():
                continue
            result = self._resolved(waiting)
            for row, reject in result.orphans:
                self._refuse(self._origin(row), reject)
            self._write(resource, result.rows)
        self._check_rejects()

    def _note(self, outcome: Outcome) -> None:
        """Settle the rows of an outcome: the last one did it, those before it said it earlier."""
        if isinstance(outcome, Refused):
            for row in outcome.rows:
                self._refuse(self._origin(row), outcome.reject)
            return
        *earlier, last = outcome.rows
        for row in earlier:
            self._did(row, Nothing("left", _SUPERSEDED), "left")
        self._did(last, outcome.action, outcome.deed)

    def _did(self, row: Row, action: Action, deed: Deed) -> None:
        stream = self._streams[row.position]
        why = action.why if isinstance(action, Nothing) else ""
        self.summary.did(stream, deed=deed, why=why)
        if self._preview is not None:
            key = row.key or ({} if row.id is None else {"id": row.id})
            self._preview.add(stream, action=action, key=key)
        self._settle(row.position)

    def _refuse(self, origin: Origin, reject: Reject) -> None:
        if self._preview is not None:
            self._preview.reject(origin, reject=reject)
        else:
            self._rejects.add(origin, reject=reject)
        self.summary.rejected(origin.stream, kind=reject.kind)
        self._settle(origin.position)

    def _settle(self, position: int) -> None:
        self._streams.pop(position, None)
        self._settlement.settled([position])

    def _origin(self, row: Row) -> Origin:
        return Origin.of(row, stream=self._streams[row.position])

    def _give_state(self) -> None:
        state = self._settlement.due()
        if state is not None and not self.is_dry:
            self._rejects.sync()
            self._outlet(state)

    def _is_stopping(self) -> bool:
        return self._is_stopped or self._has_too_many_rejects()

    def _has_too_many_rejects(self) -> bool:
        most = self._reporting.max_rejects
        return most is not None and self.summary.rejects > most

    def _check_rejects(self) -> None:
        if self._has_too_many_rejects():
            msg = (
                f"The run stopped after {counted(self.summary.rejects, 'reject')}, more than "
                f"max_rejects allows ({self._reporting.max_rejects:,}). The reasons are in "
                f"{self._reporting.dry_run_path or self._reporting.rejects_path}; correct the "
                "rows, or raise max_rejects."
            )
            raise TooManyRejects(msg)

    def _waited(self, seconds: float) -> None:
        self.summary.waited(seconds)
        if self._is_stopped:
            raise Stopped

    def _pause(self, seconds: float) -> None:
        """Let time pass; raise ``Stopped`` soon after a signal, which supervisors expect."""
        end = time.monotonic() + seconds
        # In naps: a signal's handler that sets an event may find its lock held by whom it stops.
        while (left := end - time.monotonic()) > 0:
            if self._is_stopped:
                raise Stopped
            time.sleep(min(left, _NAP_SECONDS))
