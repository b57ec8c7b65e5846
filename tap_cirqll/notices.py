"""Sentences about what was noticed while records were made to fit: names and numbers only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.amounts import counted
from cirqll_client.errors import AnswerUnexpected
from tap_cirqll.shape import Findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_cirqll.certificate import Certificate

_MOST_NAMES = 20


def merged(findings: Iterable[Findings]) -> Findings:
    """Join what several readers of one stream noticed."""
    together = Findings()
    for one in findings:
        together.nonconforming.update(one.nonconforming)
        together.undocumented |= one.undocumented
        together.new_columns |= one.new_columns
    return together


def misfits_told(stream: str, findings: Findings, *, is_kept: bool) -> str | None:
    """Tell of values that did not fit; ``None`` if all did."""
    misfits = +findings.nonconforming
    if not misfits:
        return None
    kept = ", and what came is kept in _nonconforming" if is_kept else ""
    return (
        f"{stream}: {counted(misfits.total(), 'value')} did not fit the column "
        f"({listed([f'{name}: {count:,}' for name, count in misfits.most_common()])}); "
        f"the column is null there{kept}."
    )


def fields_told(stream: str, findings: Findings) -> list[str]:
    """Tell of fields that have a column from now on, and of those that have none."""
    news, others = findings.new_columns, sorted(findings.undocumented)
    sentences = []
    if news:
        names = listed([f"{name} ({kind.value})" for name, kind in sorted(news.items())])
        sentences.append(
            f"{stream}: {counted(len(news), 'new field')}, not documented by Cirqll, with a column "
            f"from now on: {names}."
        )
    if others:
        sentences.append(
            f"{stream}: {counted(len(others), 'field')} without a column, kept in _undocumented: "
            f"{listed(others)}."
        )
    return sentences


def not_complete(stream: str, one: Certificate) -> str:
    """Tell that not all of a stream is certain to have come."""
    return (
        f"{stream} is incomplete: {'; '.join(one.reasons)}. Run again; if it stays so, look at "
        "`cirqll doctor`, and compare the warehouse by `cirqll verify`."
    )


def check_strictly(certificates: Mapping[str, Certificate]) -> None:
    """Raise ``AnswerUnexpected`` where a stream is incomplete."""
    names = [name for name, one in certificates.items() if one.verdict == "incomplete"]
    if names:
        msg = (
            f"Not all agrees with what Cirqll counts: {listed(names)}, for the reasons told above. "
            "The setting strict makes an error of that."
        )
        raise AnswerUnexpected(msg)


def listed(names: list[str]) -> str:
    """Join names; a great many are cut short."""
    more = len(names) - _MOST_NAMES
    rest = [f"and {more:,} more"] if more > 0 else []
    return ", ".join([*names[:_MOST_NAMES], *rest])
