"""Whether all of a stream came: what was handed out, next to what Cirqll counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cirqll_client.amounts import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.recount import Recount
    from cirqll_client.tally import Tally
    from tap_cirqll.compared import Compared, Known

Verdict = Literal["complete", "incomplete", "unknown"]
_WORST_FIRST: tuple[Verdict, ...] = ("incomplete", "unknown", "complete")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is certain of one stream in one run. Numbers are ``None`` where nobody counted."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Clauses: what agrees, or what does not."""
    counted: int | None = None
    """Rows that the server counted in the window: what changed, or all."""
    distinct: int = 0
    """Rows of the window that came, each once."""
    repeated: int = 0
    changed_during: int = 0
    """Rows of the window that changed while it was read; the next run brings them."""
    gone_during: int = 0
    """Rows that were deleted while it was read."""
    read_again: int = 0
    """Rows that were missed at first."""
    account_total: int | None = None
    """Rows of the account, by the server's count; only where deleted rows are looked for."""
    known: int | None = None
    """Rows that the pipeline has as living ones."""
    deleted: int = 0
    unlisted: int = 0
    """Rows that live, though the Index does not list them."""
    waiting: int = 0
    """Rows that are gone, and were not told."""

    @property
    def sentence(self) -> str:
        """Say it in a line."""
        return f"{self.verdict}: {'; '.join(self.reasons)}" if self.reasons else self.verdict

    def facts(self) -> dict[str, Any]:
        """Give all of it for a structured log, with the sentence."""
        return {**asdict(self), "sentence": self.sentence}


@dataclass(slots=True)
class _Findings:
    """Clauses for and against, while they are gathered."""

    good: list[str] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> Verdict:
        if self.bad:
            return "incomplete"
        return "unknown" if self.open else "complete"

    @property
    def reasons(self) -> tuple[str, ...]:
        return (*self.bad, *self.open, *self.good)


def certificate(
    tally: Tally | None,
    recount: Recount | None,
    compared: Compared | None,
    *,
    read_again: int = 0,
    known: Known | None = None,
) -> Certificate:
    """Judge a stream that was read to its end.

    ``recount`` is there where the first count left a doubt, ``compared`` where deleted rows are
    looked for.
    """
    found = _Findings()
    if tally is None:
        return Certificate("unknown", ("nothing was counted",))
    unlisted = len(known.unlisted) if known else 0
    _judge_window(found, tally, recount, read_again=read_again)
    if compared is not None:
        _judge_account(found, compared, unlisted=unlisted)
    differences = compared.differences if compared else None
    return Certificate(
        found.verdict,
        found.reasons,
        counted=recount.counted if recount else tally.expected,
        distinct=tally.distinct,
        repeated=tally.repeated,
        changed_during=recount.changed_during if recount else 0,
        gone_during=recount.gone if recount else 0,
        read_again=read_again + (compared.returned if compared else 0),
        account_total=differences.counted if differences else None,
        known=len(known.ids) if known else None,
        deleted=compared.deleted if compared else 0,
        unlisted=unlisted,
        waiting=compared.waiting if compared else 0,
    )


def needs_recount(tally: Tally | None) -> bool:
    """Tell whether the counts of a reading alone do not decide."""
    return (
        tally is not None
        and tally.expected is not None
        and not tally.is_quiet
        and not tally.lacking
    )


def joined(certificates: Iterable[Certificate]) -> Certificate:
    """Judge a stream that was made of several others, by the worst of them."""
    parts = list(certificates)
    worst = [one for verdict in _WORST_FIRST for one in parts if one.verdict == verdict]
    if not worst or worst[0].verdict == "complete":
        return Certificate("complete" if parts else "unknown")
    return Certificate(worst[0].verdict, worst[0].reasons)


def _judge_window(
    found: _Findings, tally: Tally, recount: Recount | None, *, read_again: int
) -> None:
    rows = tally.distinct
    if tally.lacking:
        found.bad.append(f"Cirqll counts {counted(tally.lacking, 'row')} that it does not give")
    if tally.repeated:
        found.bad.append(f"Cirqll gave {counted(tally.repeated, 'row')} more than once")
    if tally.expected is None:
        found.open.append("Cirqll does not count")
    elif recount is not None and recount.counted is not None:
        _judge_recount(found, recount, read_again=read_again)
    elif not (tally.is_quiet or tally.lacking):
        found.open.append("rows changed while it was read, and could not be counted again")
    elif rows > tally.expected:
        found.bad.append(f"Cirqll counts {tally.expected:,} and gives {counted(rows, 'row')}")
    elif not tally.lacking:
        found.good.append(f"{counted(rows, 'row')} read as counted")


def _judge_recount(found: _Findings, recount: Recount, *, read_again: int) -> None:
    missed = len(recount.missing_ids) + recount.uncertain - read_again
    if missed > 0:
        found.bad.append(f"Cirqll counts {counted(missed, 'row')} that did not come")
    words = [f"{recount.counted:,} counted"]
    if recount.changed_during:
        words.append(f"{recount.changed_during:,} changed while it was read")
    if recount.gone:
        words.append(f"{recount.gone:,} deleted while it was read")
    if read_again:
        words.append(f"{read_again:,} read again")
    found.good.append(", ".join(words))


def _judge_account(found: _Findings, compared: Compared, *, unlisted: int) -> None:
    differences = compared.differences
    if unlisted:
        found.bad.append(
            f"{counted(unlisted, 'row')} can be shown, but are not listed, so changes of theirs "
            "are not seen"
        )
    if compared.reason:
        found.bad.append(f"{compared.waiting:,} gone and not marked, since {compared.reason}")
    elif compared.waiting:
        found.good.append(f"{compared.waiting:,} gone meanwhile, for the next run to tell")
    if differences is None:
        found.open.append("the account was not counted")
        return
    more = differences.unexplained
    if not 0 <= more <= unlisted:
        found.bad.append(
            f"Cirqll counts {abs(more):,} {'more' if more > 0 else 'fewer'} in the account than "
            "it lists"
        )
    elif not compared.is_by_reading:
        found.good.append(f"{differences.counted:,} in the account, as counted")
