"""Jobs in flight at once, in threads; what is begun is always seen through."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

Job = TypeVar("Job")
Result = TypeVar("Result")


class NotBegun(Exception):
    """Jobs are left because the run is to stop."""


def done(
    jobs: Iterable[Job],
    do: Callable[[Job], Result],
    *,
    at_once: int,
    is_stopping: Callable[[], bool],
) -> Iterator[tuple[Job, Result]]:
    """Do the jobs, so many at once, and give each with its result as it ends.

    After an error nothing more is begun; what is in flight ends and is given, then it is raised.
    Raises ``NotBegun`` once it is stopping and jobs are left.
    """
    waiting = iter(jobs)
    flying: dict[Future[Result], Job] = {}
    error: BaseException | None = None
    with ThreadPoolExecutor(at_once, thread_name_prefix="writer") as pool:
        while True:
            while error is None and len(flying) < at_once:
                job = next(waiting, None)
                if job is None:
                    break
                if is_stopping():
                    error = NotBegun()
                    break
                flying[pool.submit(do, job)] = job
            if not flying:
                break
            ended, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in ended:
                job = flying.pop(future)
                failure = future.exception()
                if failure is None:
                    yield job, future.result()
                else:
                    error = error or failure
    if error is not None:
        raise error
