"""What a run did, written into the list of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from cirqll_client.errors import CirqllError
from cirqll_client.run_history import RunHistory, StreamRun

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from types import TracebackType

    from cirqll_client.connection import Connection
    from cirqll_client.run_history import Outcome
    from tap_cirqll.progress import Progress, StreamProgress

PROGRAM = "tap-cirqll"
_ENDED_AT_ONCE = (SystemExit, KeyboardInterrupt)
"""By a second signal, which does not wait for the page."""


class Journal:
    """Writes one run down, as a context around it. What goes wrong with it ends no run."""

    def __init__(
        self,
        connection: Connection,
        progress: Progress,
        *,
        is_stopping: Callable[[], bool],
        logger: logging.Logger,
    ) -> None:
        """Prepare; nothing is written yet."""
        self._history = RunHistory(connection.store, account=connection.account)
        self._progress = progress
        self._is_stopping = is_stopping
        self._logger = logger
        self.run_id: str | None = None
        """By which the run is found again; ``None`` where it could not be written down."""

    def __enter__(self) -> Self:
        """Note that the run begins."""
        try:
            self.run_id = self._history.begin(program=PROGRAM)
        except CirqllError as error:
            self._tell(error)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Note how it ended."""
        if self.run_id is None:
            return
        try:
            self._history.end(
                self.run_id,
                outcome=self._outcome(error),
                streams=[_of_run(one) for one in self._progress.streams.values()],
                requests=self._progress.requests,
                seconds_waited=self._progress.seconds_waited,
                error=_sentence(error),
            )
        except CirqllError as failure:
            self._tell(failure)

    def _outcome(self, error: BaseException | None) -> Outcome:
        if isinstance(error, _ENDED_AT_ONCE) or (error is None and self._is_stopping()):
            return "stopped"
        return "failed" if error else "done"

    def _tell(self, error: CirqllError) -> None:
        self._logger.warning(
            "This run is missing in `cirqll runs`, or its end is: %s", error.sentence
        )


def _of_run(stream: StreamProgress) -> StreamRun:
    return StreamRun(
        name=stream.name,
        stage=stream.stage,
        rows=stream.rows,
        requests=stream.requests,
        seconds_waited=stream.seconds_waited,
        warnings=tuple(stream.warnings),
        deleted=stream.deleted,
        certificate=stream.certificate.facts() if stream.certificate else None,
    )


def _sentence(error: BaseException | None) -> str | None:
    if error is None or isinstance(error, _ENDED_AT_ONCE):
        return None
    if isinstance(error, CirqllError):
        return error.sentence
    return f"It ended with a {type(error).__name__}."
