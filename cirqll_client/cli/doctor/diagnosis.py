"""What all the evidence means: every check in turn, and the streams one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.cli.doctor import (
    access_checks,
    custom_checks,
    listing_checks,
    record_checks,
    shapes,
)
from cirqll_client.cli.doctor.answers import Failed
from cirqll_client.cli.doctor.custom_columns import custom_fields
from cirqll_client.cli.doctor.fields import fields_seen, members_seen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.cli.doctor.checks import Check
    from cirqll_client.cli.doctor.custom_columns import CustomField
    from cirqll_client.cli.doctor.evidence import Evidence, StreamEvidence
    from cirqll_client.cli.doctor.fields import FieldSeen, FieldsSeen
    from cirqll_client.findings import Honesty
    from cirqll_client.timestamps import Timestamps


@dataclass(frozen=True, slots=True)
class StreamDiagnosis:
    """What was found of one stream."""

    stream: str
    resource: str
    failure: str | None
    """Why it cannot be read, in one word; ``None`` where it can."""
    status: int | None
    filter: Honesty
    order: Honesty
    id_order: Honesty
    words: str
    """Why filter and order cannot be told, or how it shows that they are not honoured."""
    fields: FieldsSeen


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found."""

    checks: tuple[Check, ...]
    streams: tuple[StreamDiagnosis, ...]
    custom_fields: tuple[CustomField, ...]
    """Their names are the account's own: for the person who asks, not for the report."""
    field_value_members: tuple[FieldSeen, ...]
    """What a value of a custom field is made of."""
    zones_proven_wrong: tuple[str, ...]
    evidence: Evidence

    @property
    def stops(self) -> tuple[Check, ...]:
        """The checks that tell why reading stops."""
        return tuple(one for one in self.checks if one.state == "stops")

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The checks that tell of troubles with which reading goes on."""
        return tuple(one for one in self.checks if one.state == "warning")


def diagnosis(evidence: Evidence, *, zones: Mapping[str, Timestamps]) -> Diagnosis:
    """Judge everything. ``zones`` are those that the API's times may be of."""
    streams = tuple(map(_of_stream, evidence.streams))
    fields = {one.stream: one.fields for one in streams}
    values = shapes.field_values_in(evidence.field_values) if evidence.field_values else []
    checks = (
        *(judge(evidence) for judge in _OF_EVIDENCE),
        record_checks.time_zone(evidence, zones),
        record_checks.undocumented(fields),
        record_checks.missing(fields),
        record_checks.contradictions(fields),
    )
    wrong = record_checks.zones_proven_wrong(evidence, zones)
    return Diagnosis(
        checks, streams, custom_fields(evidence), members_seen(values), wrong, evidence
    )


_OF_EVIDENCE = (
    access_checks.reach,
    access_checks.token,
    access_checks.user,
    access_checks.scopes,
    access_checks.streams,
    access_checks.rate_limit,
    listing_checks.page_default,
    listing_checks.page_maximum,
    listing_checks.limit_told,
    listing_checks.total,
    listing_checks.changed_since,
    listing_checks.order,
    listing_checks.id_order,
    listing_checks.quotes,
    record_checks.show_fields,
    record_checks.show_envelope,
    record_checks.relations,
    custom_checks.field_values,
    custom_checks.custom_fields,
    record_checks.clock,
)


def _of_stream(evidence: StreamEvidence) -> StreamDiagnosis:
    failed = evidence.first if isinstance(evidence.first, Failed) else None
    doubts = (evidence.filter, evidence.order)
    words = [f"{one.words}" for one in doubts if one.honesty != "honoured"]
    return StreamDiagnosis(
        stream=evidence.resource.stream,
        resource=evidence.resource.name,
        failure=failed.kind if failed else None,
        status=failed.status if failed else None,
        filter=evidence.filter.honesty,
        order=evidence.order.honesty,
        id_order=evidence.id_order.honesty,
        words=" / ".join(dict.fromkeys(words)),
        fields=fields_seen(evidence.resource, evidence.rows),
    )
