"""What is kept of a diagnosis: only what was proven, for 30 days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client import findings as facts
from cirqll_client.cli.doctor import page_sizes, shapes
from cirqll_client.cli.doctor.answers import Shown
from cirqll_client.findings import ResourceHonesty

if TYPE_CHECKING:
    from cirqll_client.cli.doctor.diagnosis import Diagnosis
    from cirqll_client.cli.doctor.evidence import Evidence
    from cirqll_client.findings import Findings


def learn(findings: Findings, diagnosis: Diagnosis) -> None:
    """Keep what was proven, and forget what turned out otherwise. Raises ``Unavailable``."""
    evidence = diagnosis.evidence
    if evidence.main is not None:
        if evidence.quoting == "bare_times":
            findings.learn(facts.QUOTING, "bare_times")
        elif evidence.quoted.honesty == "honoured":
            findings.forget(facts.QUOTING)
    _learn_pages(findings, evidence)
    for one in diagnosis.streams:
        honesty = ResourceHonesty(one.filter, one.order, one.id_order)
        if honesty != ResourceHonesty():
            findings.learn_honesty(one.resource, honesty)
    if isinstance(evidence.show, Shown):
        findings.learn(facts.SHOW_ENVELOPE, "data" if evidence.show.is_wrapped else "bare")
    if evidence.field_values is not None:
        shape = shapes.field_values_shape(evidence.field_values)
        if shape in {"page", "list", "map"}:
            findings.learn(facts.FIELD_VALUES_SHAPE, shape)
    if diagnosis.zones_proven_wrong:
        findings.learn(facts.ZONES_PROVEN_WRONG, list(diagnosis.zones_proven_wrong))


def _learn_pages(findings: Findings, evidence: Evidence) -> None:
    found = evidence.page_maximum
    if found is None or found.enforcement in {"unknown", "not_reached"}:
        return
    if found.enforcement == "capped_silently":
        findings.learn(facts.PAGE_MAXIMUM, found.rows)
    else:
        findings.forget(facts.PAGE_MAXIMUM)
    if found.refused is None:
        findings.forget(facts.PAGE_SIZE_REFUSED)
    elif found.refused <= page_sizes.LARGEST_ASKED:
        findings.learn(facts.PAGE_SIZE_REFUSED, found.refused)
    if page_sizes.total_truth(evidence.asked) == "wrong":
        findings.forget(facts.TOTAL_IS_PROVEN)
