"""What is read for which streams.

The pages of a resource serve its own stream, and those that are made of what comes along with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cirqll_client.nested import COMPANY, nested_of, read_for
from cirqll_client.resources import MOST_WEIGHT, weight_of
from tap_cirqll.bookmarks import beginning, earliest, has_any_of, of_parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from cirqll_client.nested import Nested
    from cirqll_client.reading import Beginning
    from cirqll_client.resources import Resource
    from tap_cirqll.stream import CirqllStream


@dataclass(frozen=True, slots=True, eq=False)
class Along:
    """A stream that is made of what comes along."""

    stream: CirqllStream
    nested: Nested


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The pages of one resource, and the streams that they are wanted for."""

    stream: CirqllStream
    is_wanted: bool = True
    """Its own rows are handed out; or else they are read for others alone."""
    along: tuple[Along, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no server would bring along."""
        if weight_of(self.relations) > MOST_WEIGHT:
            msg = f"the relations {self.relations} weigh more than {MOST_WEIGHT}"
            raise ValueError(msg)

    @property
    def streams(self) -> tuple[CirqllStream, ...]:
        """Those that get rows, its own first."""
        own = (self.stream,) if self.is_wanted else ()
        return (*own, *(one.stream for one in self.along))

    @property
    def relations(self) -> tuple[str, ...]:
        """Those to be brought along."""
        return tuple(one.nested.relation for one in self.along)

    @property
    def is_company(self) -> bool:
        """Tell whether it is the company, which has no pages."""
        return self.stream.resource == COMPANY

    def beginning(self) -> Beginning:
        """Tell where to begin so that no stream misses anything. Raises ``SettingInvalid``."""
        own = [self.stream.beginning()] if self.is_wanted else []
        return earliest([*own, *map(self.beginning_of, self.along)])

    def beginning_of(self, one: Along) -> Beginning:
        """Tell up to where a stream has what came along. Raises ``SettingInvalid``."""
        stream = one.stream
        read = beginning(
            stream.stream_state,
            stream=stream.name,
            start_date=stream.config.get("start_date") if stream.is_incremental else None,
            lookback_seconds=float(stream.config["lookback"]),
            parent=self.stream.name,
        )
        return read if stream.is_incremental else replace(read, bookmark=None)

    def late(self) -> list[CirqllStream]:
        """Name the streams for which it is read from an earlier moment than for itself."""
        if not (self.is_wanted and self.stream.is_incremental):
            return []
        until = self.stream.beginning().bookmark
        froms = [(one.stream, self.beginning_of(one).bookmark) for one in self.along]
        return [
            stream
            for stream, since in froms
            if stream.is_incremental and until and (since is None or since < until)
        ]

    def mark_begun(self) -> bool:
        """Note in the state that rows go out to streams that had none; tell whether there are any.

        It goes out before them: a run that is interrupted has handed out some.
        """
        news = [
            one.stream
            for one in self.along
            if one.stream.is_incremental
            and not has_any_of(one.stream.stream_state, self.stream.name)
        ]
        for stream in news:
            self.bookmark_of(stream)
        return bool(news)

    def bookmark_of(self, stream: CirqllStream) -> dict[str, Any]:
        """Give the bookmark of one of the streams, to write in."""
        state: dict[str, Any] = stream.stream_state
        return state if stream is self.stream else of_parent(state, self.stream.name)


def sources_of(
    streams: Sequence[CirqllStream], *, readable: Iterable[CirqllStream]
) -> list[Source]:
    """Tell what to read for these streams, out of what may be read."""
    nests = [Along(one, nested) for one in streams if (nested := nested_of(one.resource))]
    sources = []
    for stream in readable:
        along = tuple(one for one in nests if stream.resource in one.nested.parents)
        if along or (stream in streams and nested_of(stream.resource) is None):
            sources.append(Source(stream, is_wanted=stream in streams, along=along))
    return sources


def scoped(stream: CirqllStream) -> list[Resource]:
    """Give what a stream is read from, under the name of the stream."""
    return [replace(one, stream=stream.name) for one in read_for(stream.name)]
