"""Checks of what records are made of: fields, relations, times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.cli.doctor import zones
from cirqll_client.cli.doctor.answers import Failed, Shown
from cirqll_client.cli.doctor.checks import Check, counted, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.cli.doctor.checks import State
    from cirqll_client.cli.doctor.evidence import Evidence
    from cirqll_client.cli.doctor.fields import FieldsSeen
    from cirqll_client.cli.doctor.shapes import Doing
    from cirqll_client.timestamps import Timestamps

_DOING: dict[Doing, str] = {
    "honoured": "honoured",
    "ignored": "not honoured",
    "refused": "refused",
    "unknown": "cannot be told",
}
_STATES: dict[Doing, State] = {
    "honoured": "good",
    "ignored": "warning",
    "refused": "warning",
    "unknown": "unknown",
}


def show_fields(evidence: Evidence) -> Check:
    """Tell whether ``show`` leaves fields out."""
    doing = evidence.show_fields
    remedy = None
    if doing in {"ignored", "refused"}:
        remedy = "All fields are read, also those of no selected column: slower, nothing is lost."
    return Check("show_fields", "Chosen fields", _STATES[doing], _DOING[doing], remedy)


def relations(evidence: Evidence) -> Check:
    """Tell whether ``with`` brings relations along."""
    doing, names = evidence.relations, listed(evidence.relation_names)
    words = (
        f"{_DOING[doing]} (tried with {names})" if names else "not asked, or no record to try it on"
    )
    remedy = None
    if doing in {"ignored", "refused"}:
        remedy = (
            "Relations do not come along with their records. It may be a scope that is missing: "
            f"the ones tried were {names}. Tables made from relations stay empty."
        )
    return Check("relations", "Relations", _STATES[doing], words, remedy)


def show_envelope(evidence: Evidence) -> Check:
    """Tell how a single record comes."""
    key, name, show = "show_envelope", "Single records", evidence.show
    if isinstance(show, Shown):
        return Check(key, name, "good", "within data" if show.is_wrapped else "bare")
    if isinstance(show, Failed) and show.kind != "not_asked":
        return Check(key, name, "warning", f"asking for one {show.words}", _NO_SHOW)
    return Check(key, name, "unknown", "not asked, or no record to ask for")


_NO_SHOW = "Reading does not need it; writing with target-cirqll may."


def clock(evidence: Evidence) -> Check:
    """Compare the server's clock with this machine's."""
    key, name = "clock", "Clocks"
    if not evidence.heard:
        return Check(key, name, "unknown", "nothing was answered")
    difference = zones.clock_difference([(one.server_time, one.own_time) for one in evidence.heard])
    if difference is None:
        return Check(key, name, "warning", "the server does not tell its time", _NO_CLOCK)
    seconds = round(difference.total_seconds())
    if zones.is_clock_good(difference):
        return Check(key, name, "good", "server and this machine agree")
    side = "ahead of" if seconds > 0 else "behind"
    words = f"the server is {abs(seconds)} s {side} this machine"
    return Check(key, name, "warning", words, _WRONG_CLOCK)


_NO_CLOCK = "Bookmarks are kept by the clock of this machine, five minutes set back: keep it right."
_WRONG_CLOCK = (
    "One of the two clocks is wrong. Correct the one of this machine if it is that; if it is the "
    "server's, nothing is lost, but rows may be read again."
)


def time_zone(evidence: Evidence, timestamps: Mapping[str, Timestamps]) -> Check:
    """Tell which zones the API's times cannot be of."""
    key, name, set_zone = "time_zone", "Time zone", evidence.api_timezone
    newest, wrong = evidence.newest, zones_proven_wrong(evidence, timestamps)
    if set_zone in wrong:
        others = [zone for zone in timestamps if zone not in wrong]
        words = f"not {listed(wrong)}: a record changed later than the server's clock allows"
        remedy = (
            f"Set api_timezone to {listed(others[:1])}, then load the tables anew: by the present "
            f"setting, {set_zone}, times are wrong."
        )
        return Check(key, name, "warning", words, remedy)
    if wrong:
        return Check(key, name, "good", f"{set_zone} may be right; {listed(wrong)} is wrong")
    if newest is None or not _is_clock_good(evidence):
        words = "cannot be told: the clocks prove nothing" if newest else "cannot be told: no times"
        return Check(key, name, "unknown", words)
    fresh = [zone for zone, times in timestamps.items() if zones.is_fresh(newest, times)]
    if fresh:
        words = f"likely {fresh[0]}: by it, the newest change was made just now"
        return Check(key, name, "good" if set_zone in fresh else "unknown", words)
    return Check(key, name, "unknown", "cannot be told; change a record, then run again at once")


def zones_proven_wrong(evidence: Evidence, timestamps: Mapping[str, Timestamps]) -> tuple[str, ...]:
    """Name the zones that cannot be right; none where the clocks themselves are in doubt."""
    if evidence.newest is None or not _is_clock_good(evidence):
        return ()
    return zones.proven_wrong(evidence.newest, timestamps)


def _is_clock_good(evidence: Evidence) -> bool:
    heard = [(one.server_time, one.own_time) for one in evidence.heard]
    return zones.is_clock_good(zones.clock_difference(heard))


def undocumented(fields: Mapping[str, FieldsSeen]) -> Check:
    """Count the fields that nobody documented."""
    key, name = "undocumented", "Undocumented fields"
    if not any(seen.rows for seen in fields.values()):
        return Check(key, name, "unknown", "no record came")
    numbers = {stream: len(seen.undocumented) + seen.unnamed for stream, seen in fields.items()}
    with_some = [stream for stream, number in numbers.items() if number]
    if not with_some:
        return Check(key, name, "good", "none came")
    words = f"{sum(numbers.values())}, in {listed(with_some)}"
    return Check(key, name, "good", words)


def missing(fields: Mapping[str, FieldsSeen]) -> Check:
    """Count the documented fields that never came."""
    key, name = "missing", "Documented fields"
    if not any(seen.rows for seen in fields.values()):
        return Check(key, name, "unknown", "no record came")
    number = sum(len(seen.missing) for seen in fields.values())
    words = f"{counted(number, 'field')} never came" if number else "all came"
    return Check(key, name, "good", words)


def contradictions(fields: Mapping[str, FieldsSeen]) -> Check:
    """Count the fields that hold something else than is documented."""
    key, name = "contradictions", "Types of fields"
    if not any(seen.rows for seen in fields.values()):
        return Check(key, name, "unknown", "no record came")
    odd = {stream: seen.contradicting for stream, seen in fields.items() if seen.contradicting}
    if not odd:
        return Check(key, name, "good", "as documented")
    number = sum(map(len, odd.values()))
    words = f"{counted(number, 'field')} otherwise than documented, in {listed(list(odd))}"
    return Check(key, name, "warning", words, _ODD)


_ODD = (
    "Values that do not fit their column are kept in `_nonconforming`, exactly; look there. The "
    "maintainers would like to know: `cirqll doctor --report`."
)
