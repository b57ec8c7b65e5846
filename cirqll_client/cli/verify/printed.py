"""The result for a person: a table, the rows that differ, then what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.amounts import counted
from cirqll_client.cli.layout import pairs, printable, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cirqll_client.cli.verify.outcome import Result, Rows, StreamOutcome

FEW_IDS = 20
_HEAD = (
    "Table", "", "Rows", "In Cirqll", "One by one", "Not loaded yet", "Missing", "Stale", "Surplus",
    "Requests",
)  # fmt: skip
_RESULTS: dict[Result, str] = {"equal": "ok", "different": "DIFFERS", "unknown": "?"}
_MEANING = {
    "missing": "Missing rows are in Cirqll and not in the table, though later changes are. Run the "
    "pipeline again, and this once more; what stays missing comes when the stream is loaded anew "
    "(with Meltano: --full-refresh).",
    "stale": "Stale rows changed in Cirqll before the newest change that was loaded, and that "
    "change is not in the table. No later run brings it: load the stream anew (with Meltano: "
    "--full-refresh).",
    "surplus": "Surplus rows are not in Cirqll any more. With detect_deletions: true, runs mark "
    "rows that are deleted from then on; those that were deleted before it was switched on are to "
    "be taken out of the table, or the table is to be emptied and loaded anew.",
}


def printed(outcomes: Sequence[StreamOutcome], *, requests: int, shows_all_ids: bool) -> str:
    """Give all of it; parts are separated by an empty line."""
    return "\n\n".join(_parts(outcomes, requests=requests, shows_all_ids=shows_all_ids))


def _parts(
    outcomes: Sequence[StreamOutcome], *, requests: int, shows_all_ids: bool
) -> Iterator[str]:
    yield table(_HEAD, [_row(one) for one in outcomes])
    named = [
        (f"{one.stream}, {kind}", _ids(rows, shows_all=shows_all_ids))
        for one in outcomes
        for kind, rows in one.differences.items()
        if rows.ids
    ]
    if named:
        yield f"Ids of the rows that differ:\n{pairs(named)}"
    notes = [(one.stream, note) for one in outcomes for note in notes_on(one)]
    if notes:
        yield pairs(notes)
    advice = [
        f"- {words}"
        for kind, words in _MEANING.items()
        if any(one.differences[kind].number for one in outcomes)
    ]
    if advice:
        yield "What to do:\n" + "\n".join(advice)
    yield _end(outcomes, requests=requests)


def notes_on(one: StreamOutcome) -> Iterator[str]:
    """Give what is to be known of a stream besides its numbers, in sentences."""
    if one.failure is not None:
        yield one.failure
    yield from one.warnings
    if one.unaccounted:
        number = counted(abs(one.unaccounted), "row")
        yield f"Cirqll counts {number} {'more' if one.unaccounted > 0 else 'fewer'} than it lists."
    if one.shift is not None:
        hours = abs(one.shift.total_seconds()) / 3600
        yield (
            f"The times of all stale rows differ by {hours:g} h: the tap most likely runs with "
            "another api_timezone than this."
        )
    if one.unlisted.number:
        yield (
            f"{counted(one.unlisted.number, 'row')} of the table can be looked at in Cirqll, but "
            f"its list leaves them out: {_ids(one.unlisted, shows_all=False)}."
        )
    if one.repeated:
        yield f"{counted(one.repeated, 'row')} of the table repeat an id; the newest counts."
    if one.found_once:
        yield f"{counted(one.found_once, 'difference')} of these were not looked at a second time."
    if not one.has_times and one.failure is None:
        yield "The table has no column updated_at, so only ids were compared."


def _row(one: StreamOutcome) -> tuple[str, ...]:
    if one.failure is not None:
        return (one.stream, _RESULTS[one.result], *[""] * 7, str(one.requests))
    numbers = (one.not_loaded, *(rows.number for rows in one.differences.values()))
    return (
        one.stream,
        _RESULTS[one.result],
        f"{one.loaded:,}",
        "?" if one.counted is None else f"{one.counted:,}",
        "all" if one.is_whole else f"{one.compared:,}",
        *(f"{number:,}" if number else "" for number in numbers),
        f"{one.requests:,}",
    )


def _ids(rows: Rows, *, shows_all: bool) -> str:
    shown = rows.ids if shows_all else rows.ids[:FEW_IDS]
    more = len(rows.ids) - len(shown)
    return ", ".join(map(str, shown)) + (f" and {more:,} more: see --ids" if more else "")


def _end(outcomes: Sequence[StreamOutcome], *, requests: int) -> str:
    results = [one.result for one in outcomes]
    number, equal = counted(len(results), "table"), results.count("equal")
    spent = f"{counted(requests, 'request')} {'was' if requests == 1 else 'were'} sent."
    verdict = f"{equal} of {number} agree with Cirqll." if equal < len(results) else _all(number)
    sentences = [verdict, spent]
    if any(not one.is_whole and one.failure is None for one in outcomes):
        sentences.append(
            "Rows that were not compared one by one were compared by their number, in which two "
            "differences may cancel each other out: --every-row compares all."
        )
    return printable(" ".join(sentences))


def _all(number: str) -> str:
    return f"All {number} agree with Cirqll." if number != "1 table" else "It agrees with Cirqll."
