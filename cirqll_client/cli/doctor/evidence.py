"""All that came of an examination, for those who judge it and ask nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cirqll_client.cli.doctor.answers import Failed, Listing
from cirqll_client.cli.doctor.honesty import NOT_ASKED

if TYPE_CHECKING:
    from cirqll_client.cli.doctor.answers import Shown
    from cirqll_client.cli.doctor.asking import Heard
    from cirqll_client.cli.doctor.honesty import Verdict
    from cirqll_client.cli.doctor.page_sizes import Asked, PageMaximum
    from cirqll_client.cli.doctor.shapes import Doing
    from cirqll_client.cli.doctor.zones import Newest
    from cirqll_client.learned_columns import Columns
    from cirqll_client.query import Quoting
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record


@dataclass(slots=True)
class StreamEvidence:
    """What came of one resource."""

    resource: Resource
    first: Listing | Failed
    """The newest records; without an order where that was refused."""
    pages: list[Listing] = field(default_factory=list)
    """All answers with whole records."""
    filter: Verdict = NOT_ASKED
    order: Verdict = NOT_ASKED
    id_order: Verdict = NOT_ASKED

    @property
    def rows(self) -> list[Record]:
        """All records that came, some of them several times."""
        return [row for page in self.pages for row in page.rows]

    @property
    def ids(self) -> set[object]:
        """The ids that came."""
        return {row.get("id") for row in self.rows}


@dataclass(slots=True)
class Evidence:
    """What came of everything that was asked."""

    api_url: str
    account: str
    api_timezone: str
    is_limited_to_streams: bool = False
    """Somebody named the streams that matter."""
    scopes: frozenset[str] | None = None
    me: Record | Failed = field(default_factory=lambda: Failed("not_asked"))
    streams: list[StreamEvidence] = field(default_factory=list)
    unasked: list[Resource] = field(default_factory=list)
    """Resources that were not come to."""
    main: Resource | None = None
    """The one on which questions were tried that are the same for all."""
    quoted: Verdict = NOT_ASKED
    bare: Verdict = NOT_ASKED
    quoting: Quoting = "quoted"
    id_filter: Verdict = NOT_ASKED
    id_order: Verdict = NOT_ASKED
    page_maximum: PageMaximum | None = None
    asked: list[Asked] = field(default_factory=list)
    """Questions for rows from the first one on, without a filter."""
    show: Shown | Failed | None = None
    show_fields: Doing = "unknown"
    relations: Doing = "unknown"
    relation_names: tuple[str, ...] = ()
    values: dict[str, Listing | Failed] = field(default_factory=dict)
    """Records with their custom fields, by stream."""
    definitions: Listing | Failed | None = None
    """Of custom fields; ``None`` where no stream has any."""
    columns: dict[str, Columns] = field(default_factory=dict)
    """Learned in earlier runs, by stream."""
    newest: Newest | None = None
    heard: list[Heard] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    requests: int = 0
    most_requests: int = 0
    ended: str | None = None
    """Why nothing more could be asked, in a sentence."""
    dead: Literal["token", "network"] | None = None

    @property
    def field_values(self) -> Listing | Failed | None:
        """What came of the last question for custom fields."""
        return next(reversed(self.values.values()), None)
