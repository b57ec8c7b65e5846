"""The result of ``cirqll doctor --json``: one object, whose keys stay.

=====================  ============================================================================
key                    value
=====================  ============================================================================
account, api_url       what was checked
requests               how many were sent; ``requests_allowed`` is the stated most
is_readable            false where something stops reading: then the exit code is 1
stops, warnings        keys of the checks that are in these states
checks                 by key: ``state`` (good, warning, stops, unknown), ``words``, ``remedy``
facts                  what was found, for programs; null is not known
custom_fields          one each, of each stream: ``stream`` (null: not told), ``id``, ``name``,
                       ``type`` (null: its values will tell), ``column`` that it has or gets with
                       the setting custom_fields: columns (null: not sure yet)
streams                one each: ``stream``, ``is_readable``, ``failure``, ``status``, ``filter``,
                       ``order``, ``id_order`` (honoured, ignored, refused, unknown), ``records``
                       looked at, ``undocumented`` (names and types), ``unnamed_fields`` (how many
                       have names that may be data), ``missing``, ``contradicting``
=====================  ============================================================================

It holds no value of a record, and neither the user nor the company: ``cirqll whoami --json`` does.
Names of custom fields are in it, which are words of the account's own.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cirqll_client.cli.doctor import page_sizes, shapes
from cirqll_client.cli.doctor.answers import Shown

if TYPE_CHECKING:
    from cirqll_client.cli.doctor.diagnosis import Diagnosis, StreamDiagnosis
    from cirqll_client.cli.doctor.evidence import Evidence
    from cirqll_client.cli.doctor.fields import FieldSeen


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Give the whole result."""
    evidence = diagnosis.evidence
    return {
        "account": evidence.account,
        "api_url": evidence.api_url,
        "requests": evidence.requests,
        "requests_allowed": evidence.most_requests,
        "is_readable": not diagnosis.stops,
        "stops": [one.key for one in diagnosis.stops],
        "warnings": [one.key for one in diagnosis.warnings],
        "checks": {
            one.key: {"state": one.state, "words": one.words, "remedy": one.remedy}
            for one in diagnosis.checks
        },
        "facts": facts(diagnosis),
        "custom_fields": [asdict(one) for one in diagnosis.custom_fields],
        "streams": [_stream(one) for one in diagnosis.streams],
    }


def facts(diagnosis: Diagnosis) -> dict[str, Any]:
    """Give what was found of the API as a whole; nothing of it tells whose account it is."""
    evidence = diagnosis.evidence
    limits = [one.rate.limit for one in evidence.heard if one.rate.limit is not None]
    values = evidence.field_values
    return {
        "rate_limit": limits[-1] if limits else None,
        "page_maximum": _page_maximum(evidence),
        "limit_told": page_sizes.limit_truth(evidence.asked),
        "total": page_sizes.total_truth(evidence.asked),
        "times_with_quotes": evidence.quoted.honesty,
        "times_without_quotes": evidence.bare.honesty,
        "id_filter": evidence.id_filter.honesty,
        "id_order": evidence.id_order.honesty,
        "show": evidence.show_fields,
        "with": evidence.relations,
        "show_envelope": _envelope(evidence),
        "field_values_shape": shapes.field_values_shape(values) if values else "unknown",
        "field_value_members": {one.name: list(one.types) for one in diagnosis.field_value_members},
        "zones_proven_wrong": list(diagnosis.zones_proven_wrong),
    }


def _page_maximum(evidence: Evidence) -> dict[str, Any] | None:
    found = evidence.page_maximum
    if found is None:
        return None
    return {"enforced": found.enforcement, "rows": found.rows, "refused": found.refused}


def _envelope(evidence: Evidence) -> str:
    if not isinstance(evidence.show, Shown):
        return "unknown"
    return "data" if evidence.show.is_wrapped else "bare"


def _stream(one: StreamDiagnosis) -> dict[str, Any]:
    return {
        "stream": one.stream,
        "is_readable": one.failure is None,
        "failure": one.failure,
        "status": one.status,
        "filter": one.filter,
        "order": one.order,
        "id_order": one.id_order,
        "records": one.fields.rows,
        "undocumented": [_field(field) for field in one.fields.undocumented],
        "unnamed_fields": one.fields.unnamed,
        "missing": list(one.fields.missing),
        "contradicting": [_field(field) for field in one.fields.contradicting],
    }


def _field(field: FieldSeen) -> dict[str, Any]:
    told: dict[str, Any] = {"name": field.name, "types": list(field.types)}
    if field.contradiction:
        told["contradiction"] = field.contradiction
    return told
