"""What became of the streams of a run, each of which may be made from several sources."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.errors import NotFound, ScopeMissing
from cirqll_client.nested import COMPANY, ME_PATHS, nested_of
from tap_cirqll.offer import with_scopes
from tap_cirqll.sources import scoped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cirqll_client.errors import CirqllError
    from cirqll_client.resources import Resource
    from tap_cirqll.progress import Stage
    from tap_cirqll.sources import Source
    from tap_cirqll.stream import CirqllStream


@dataclass(frozen=True, slots=True)
class Skipped:
    """A stream got nothing from a resource, without anything being wrong with the run."""

    stream: CirqllStream
    resource: Resource
    error: CirqllError | None = None
    """``None``: the server does not bring along what the stream is made of."""


class Outcomes:
    """Counts the ends of sources by stream."""

    def __init__(self, sources: Iterable[Source]) -> None:
        """Await the ends of these."""
        self._left = Counter(stream for source in sources for stream in source.streams)
        self._stages: dict[CirqllStream, set[Stage]] = {stream: set() for stream in self._left}
        self.skipped: list[Skipped] = []
        """Streams of which nothing came at all."""
        self._parts: dict[CirqllStream, list[Skipped]] = {stream: [] for stream in self._left}
        self.failed: list[CirqllStream] = []

    def out_of_scope(self, stream: CirqllStream) -> None:
        """Note a stream that is known not to be readable without asking."""
        beyond = scoped(stream)
        error = ScopeMissing(_beyond(beyond))
        self.skipped += [Skipped(stream, one, error) for one in beyond]

    def ended(self, stream: CirqllStream, stage: Stage, skipped: Skipped | None = None) -> None:
        """Note how one of a stream's sources ended."""
        self._left[stream] -= 1
        self._stages[stream].add(stage)
        if skipped:
            self._parts[stream].append(skipped)
        if self.stage(stream) == "failed" and stream not in self.failed:
            self.failed.append(stream)
        if self.stage(stream) == "skipped":
            self.skipped += self._parts[stream]

    def stage(self, stream: CirqllStream) -> Stage:
        """Tell where a stream stands: done once its last source ended."""
        if self._left[stream] > 0:
            return "reading"
        of_sources = self._stages[stream]
        return next(one for one in ("failed", "done", "skipped") if one in of_sources)

    def missing_parts(self, stream: CirqllStream) -> str | None:
        """Tell what lacks in a stream that was read otherwise."""
        parts = [one.resource.stream for one in self._parts[stream]]
        if not parts or self.stage(stream) != "done":
            return None
        return (
            f"{stream.name}: without those of {', '.join(sorted(parts))}, which are not readable."
        )


def not_readable(skipped: Sequence[Skipped]) -> str:
    """Tell which streams this token cannot read, and what to do."""
    sentences = []
    beyond = [one for each in skipped if isinstance(each.error, ScopeMissing) for one in _of(each)]
    if beyond:
        sentences.append(_beyond(beyond))
    absent = sorted(
        f"{one.stream.name} ({ME_PATHS[0] if one.resource == COMPANY else one.resource.path})"
        for one in skipped
        if isinstance(one.error, NotFound)
    )
    if absent:
        sentences.append(
            f"Not read, because Cirqll has no such thing for this account (404): "
            f"{', '.join(absent)}. Deselect the streams."
        )
    apart = sorted(_relation(one) for one in skipped if one.error is None)
    if apart:
        sentences.append(
            f"Not read, because Cirqll does not bring it along: {', '.join(apart)}. Deselect the "
            "streams."
        )
    return " ".join(sentences)


def _of(skipped: Skipped) -> list[Resource]:
    """Give the resource whose scope lacks, under the name of the stream."""
    stream, name = skipped.stream, skipped.resource.name
    return [one for one in scoped(stream) if one.name == name or stream.resource == COMPANY]


def _relation(skipped: Skipped) -> str:
    nested = nested_of(skipped.stream.resource)
    relation = nested.relation if nested else "company"
    return f"{skipped.stream.name} ({relation} of {skipped.resource.stream})"


def _beyond(resources: Iterable[Resource]) -> str:
    return (
        f"Not read, because the access token lacks the scope: {with_scopes(resources)}. Sign in "
        "again with these scopes, or deselect the streams."
    )
