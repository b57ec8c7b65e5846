"""Whether all of a stream came: what was handed out, next to what Cirqll counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cirqll_client.amounts import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.recount import Recount
    from cirqll_client.tally import Tally
    from tap_cirqll.compared import Compared, Known

Verdict = Literal["complete", "incomplete", "unknown"]
PERHAPS_A_PAGE = "Cirqll perhaps counts the rows of a page, not all that there are"
_MOST_NAMES = 3
_WORST_FIRST: tuple[Verdict, ...] = ("incomplete", "unknown")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is certain of one stream in one run. Numbers are ``None`` where nobody counted."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Clauses: what does not agree, what is not known, what agrees."""
    counted: int | None = None
    """Rows that the server counted in the window: what changed, or all."""
    rows_read: int | None = None
    """Rows of the window that came, each once."""
    repeated: int | None = None
    changed_during: int | None = None
    """Rows of the window that changed while it was read; the next run brings them."""
    gone_during: int | None = None
    """Rows that were deleted while it was read."""
    read_again: int | None = None
    """Rows that were missed at first."""
    account_total: int | None = None
    """Rows of the account, by the server's count; only where deleted rows are looked for."""
    known: int | None = None
    """Rows that the pipeline has as living ones."""
    deleted: int | None = None
    unlisted: int | None = None
    """Rows that live, though the Index does not list them."""
    waiting: int | None = None
    """Rows that are gone, and were not told."""

    @property
    def sentence(self) -> str:
        """Say it in a line."""
        return f"{self.verdict}: {'; '.join(self.reasons)}" if self.reasons else self.verdict

    def facts(self) -> dict[str, Any]:
        """Give all of it for a structured log, with the sentence."""
        return {**asdict(self), "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What was found where the count of a reading left a doubt."""

    recount: Recount
    read_again: int = 0
    """Rows that were missed at first."""
    missed: int | None = 0
    """Rows that are counted and still did not come; ``None`` where that could not be seen."""


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
    look: SecondLook | None,
    compared: Compared | None,
    *,
    known: Known | None = None,
) -> Certificate:
    """Judge a stream that was read to its end.

    ``look`` is there where the first count left a doubt, ``compared`` where deleted rows are
    looked for.
    """
    found = _Findings()
    if tally is None:
        return Certificate("unknown", ("nothing was counted",))
    unlisted = len(known.unlisted) if known else 0
    _judge_window(found, tally, look)
    if compared is not None:
        untold = tally.lacking + ((look.missed or 0) if look else 0)
        _judge_account(found, compared, unlisted=unlisted, untold=untold)
    recount, differences = look and look.recount, compared and compared.differences
    return Certificate(
        found.verdict,
        found.reasons,
        counted=recount.counted if recount else tally.expected,
        rows_read=tally.distinct,
        repeated=tally.repeated,
        changed_during=recount.changed_during if recount else 0,
        gone_during=recount.gone if recount else 0,
        read_again=(look.read_again if look else 0) + (compared.returned if compared else 0),
        account_total=differences.counted if differences else None,
        known=len(known.ids) if known else None,
        deleted=compared.deleted if compared else None,
        unlisted=unlisted if known else None,
        waiting=compared.waiting if compared else None,
    )


def needs_recount(tally: Tally | None) -> bool:
    """Tell whether the counts of a reading alone do not decide."""
    return (
        tally is not None
        and tally.expected is not None
        and not tally.is_quiet
        and not tally.lacking
    )


def joined(parents: Mapping[str, Certificate]) -> Certificate:
    """Judge a stream that was made of what came with others, by the worst of them."""
    for verdict in _WORST_FIRST:
        bad = [name for name, one in parents.items() if one.verdict == verdict]
        if bad:
            return Certificate(
                verdict, tuple(f"{name}: {parents[name].reasons[0]}" for name in bad)
            )
    names = ", ".join(parents) if len(parents) <= _MOST_NAMES else counted(len(parents), "stream")
    return Certificate("complete", (f"came along with {names}",))


def _judge_window(found: _Findings, tally: Tally, look: SecondLook | None) -> None:
    """Compare what came with what the first answer counted, or the last one."""
    rows = counted(tally.distinct, "row")
    if tally.repeated:
        found.bad.append(f"Cirqll gave {counted(tally.repeated, 'row')} more than once")
    if tally.lacking:
        found.bad.append(f"Cirqll counts {counted(tally.lacking, 'row')} that it does not give")
    elif tally.expected is None:
        found.open.append("Cirqll does not tell how many rows there are")
    elif look is not None and look.recount.counted is None:
        found.open.append(PERHAPS_A_PAGE)
    elif look is not None:
        _judge_second_look(found, tally, look)
    elif not tally.is_quiet:
        found.open.append("rows changed while it was read, and could not be counted again")
    elif tally.distinct != tally.expected:
        found.bad.append(f"Cirqll counts {tally.expected:,} and gave {rows}")
    else:
        found.good.append(f"{rows} read, as many as Cirqll counts")


def _judge_second_look(found: _Findings, tally: Tally, look: SecondLook) -> None:
    if look.missed is None:
        found.open.append("rows that were missed could not be read")
    elif look.missed:
        found.bad.append(f"Cirqll counts {counted(look.missed, 'row')} that did not come")
    details = []
    if look.read_again:
        details.append(f"{look.read_again:,} missed at first and read again")
    if look.recount.changed_during:
        details.append(f"{look.recount.changed_during:,} changed meanwhile (for the next run)")
    if look.recount.gone:
        details.append(f"{look.recount.gone:,} deleted meanwhile")
    if details or look.missed:
        details.append(f"{look.recount.counted:,} counted at the end")
    else:
        details.append("as many as Cirqll counts")
    found.good.append(", ".join((f"{counted(tally.distinct, 'row')} read", *details)))


def _judge_account(found: _Findings, compared: Compared, *, unlisted: int, untold: int) -> None:
    """Compare what the pipeline has with what the account has.

    ``untold`` rows are known to be counted and not to come: they are not told once more.
    """
    reason = (compared.reason or "").removesuffix(".")
    differences = compared.differences
    if unlisted:
        found.bad.append(
            f"Cirqll shows {counted(unlisted, 'row')} that it does not list, so changes there are "
            "not seen"
        )
    if differences is None:
        if reason:
            found.open.append(f"the account is not known, since {reason}")
        else:
            found.good.append("from now on deleted rows are found; those of before are not")
        return
    if reason:
        found.bad.append(f"{counted(compared.waiting, 'row')} gone and not marked, since {reason}")
    elif compared.waiting:
        found.good.append(f"{compared.waiting:,} deleted meanwhile, for the next run to mark")
    more = differences.unexplained
    is_explained = 0 <= more <= unlisted or more == untold
    if not is_explained and not differences.is_steady:
        found.open.append("rows came and went while the account was counted")
    elif not is_explained:
        found.bad.append(
            f"Cirqll counts {abs(more):,} {'more' if more > 0 else 'fewer'} in the account than "
            "it lists"
        )
    elif not (compared.is_by_reading or untold or reason):
        found.good.append(_has_all(differences.counted))


def _has_all(there: int) -> str:
    return f"{there:,} in the account, and you have them all" if there else "none in the account"
