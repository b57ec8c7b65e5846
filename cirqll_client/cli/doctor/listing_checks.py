"""Checks of how rows are asked for: pages, filter, order, quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.cli.doctor import page_sizes
from cirqll_client.cli.doctor.answers import Listing
from cirqll_client.cli.doctor.checks import Check, counted, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from cirqll_client.cli.doctor.evidence import Evidence, StreamEvidence
    from cirqll_client.cli.doctor.honesty import Verdict
    from cirqll_client.findings import Honesty

DOCUMENTED_PAGE = 100


def page_default(evidence: Evidence) -> Check:
    """Tell how large a page is that nobody asked for the size of."""
    key, name = "page_default", "Usual page"
    usual = [one.listing for one in evidence.asked if one.limit is None]
    told = {one.limit for one in usual if one.limit is not None}
    rows = max(map(len, usual), default=0)
    if page_sizes.limit_truth(evidence.asked) == "wrong" or not told:
        words = f"at least {counted(rows, 'record')}" if rows else "no page came"
        return Check(key, name, "unknown", words)
    size = max(told)
    if size == DOCUMENTED_PAGE:
        return Check(key, name, "good", f"{size} records, as documented")
    words = f"{counted(size, 'record')}; {DOCUMENTED_PAGE} are documented"
    return Check(key, name, "good", words)


def page_maximum(evidence: Evidence) -> Check:
    """Tell the largest page, and how the server enforces it."""
    key, name, found = "page_maximum", "Largest page", evidence.page_maximum
    if found is None or found.enforcement == "unknown":
        return Check(key, name, "unknown", "could not be found out")
    rows = found.rows
    if found.enforcement == "refused":
        given = f"; {rows} are not" if rows else ""
        words = f"refused: {found.refused} records are too many{given}"
        return Check(key, name, "good", words)
    if found.enforcement == "capped_silently":
        words = f"cut to {rows} records, and the answer does not say so"
        remedy = f"{_SILENT} {_TINY.format(rows)}" if (rows or 0) < DOCUMENTED_PAGE else _SILENT
        return Check(key, name, "warning", words, remedy)
    words = {
        "capped": f"cut to {rows} records, as the answer says",
        "obeyed": f"no maximum up to {rows} records",
        "not_reached": f"{rows} records are not refused; no stream has enough to see more",
    }[found.enforcement]
    return Check(key, name, "unknown" if found.enforcement == "not_reached" else "good", words)


_SILENT = (
    "Pages are cut shorter than the answers say. Nothing is lost by it; the largest page is kept "
    "in the store, so that no run takes a page that was cut for the last one."
)


_TINY = "It is kept for 30 days: set page_size to {} as well, which holds for good."
"""Below the documented page, a run that does not know the maximum may believe that all came (a
guess of ``ends.LEAST_MAXIMUM``)."""


def limit_told(evidence: Evidence) -> Check:
    """Tell whether ``limit`` in an answer is the one in force."""
    key, name = "limit_told", "Page size told"
    truth = page_sizes.limit_truth(evidence.asked)
    return _of_truth(key, name, truth, good="is the one in force", wrong="is not the one in force")


def total(evidence: Evidence) -> Check:
    """Tell what ``total`` counts."""
    key, name = "total", "Total"
    truth = page_sizes.total_truth(evidence.asked)
    return _of_truth(key, name, truth, good="counts all records", wrong="counts only the page")


def _of_truth(key: str, name: str, truth: page_sizes.Truth, *, good: str, wrong: str) -> Check:
    if truth == "true":
        return Check(key, name, "good", good)
    if truth == "unknown":
        return Check(key, name, "unknown", "cannot be told: too few records")
    return Check(key, name, "warning", wrong if truth == "wrong" else "is not told", _MORE_REQUESTS)


_MORE_REQUESTS = (
    "Where the end of a stream is cannot be seen from an answer, so runs ask once more to be sure: "
    "some more requests, and nothing is lost."
)


def quotes(evidence: Evidence) -> Check:
    """Tell how a time is to be written in a filter."""
    key, name = "quotes", "Times in filters"
    ways = {"with quotes": evidence.quoted.honesty, "without quotes": evidence.bare.honesty}
    works = [way for way, honesty in ways.items() if honesty == "honoured"]
    fails = [f"{way} {_WORDS[honesty]}" for way, honesty in ways.items() if honesty != "honoured"]
    if not works:
        is_known = "unknown" not in ways.values()
        return Check(key, name, "warning" if is_known else "unknown", "; ".join(fails))
    words = "; ".join([f"understood {' and '.join(works)}", *fails])
    if "with quotes" in works:
        return Check(key, name, "good", words)
    return Check(key, name, "warning", words, _BARE)


_BARE = (
    "Times are understood without quotes only. That is kept in the store, and runs write them so."
)
_WORDS: dict[Honesty, str] = {
    "honoured": "honoured",
    "ignored": "not honoured",
    "refused": "refused",
    "unknown": "cannot be told",
}


def changed_since(evidence: Evidence) -> Check:
    """Tell for which streams the filter by the time of change works."""
    return _by_stream("filter", "Filter by change", evidence, lambda one: one.filter)


def order(evidence: Evidence) -> Check:
    """Tell for which streams the order by the time of change works."""
    return _by_stream("order", "Order by change", evidence, lambda one: one.order)


def _by_stream(
    key: str, name: str, evidence: Evidence, verdict: Callable[[StreamEvidence], Verdict]
) -> Check:
    names: dict[Honesty, list[str]] = {}
    for one in (each for each in evidence.streams if isinstance(each.first, Listing)):
        names.setdefault(verdict(one).honesty, []).append(one.resource.stream)
    if not names:
        return Check(key, name, "unknown", "not asked")
    good, bad = names.get("honoured", []), [*names.get("ignored", []), *names.get("refused", [])]
    parts = [f"honoured for {counted(len(good), 'stream')}"] if good else []
    parts += [f"{_WORDS[one]} for {listed(names[one])}" for one in _BAD if one in names]
    if "unknown" in names:
        parts.append(f"cannot be told for {counted(len(names['unknown']), 'stream')}")
    if bad:
        return Check(key, name, "warning", "; ".join(parts), _slow(bad))
    return Check(key, name, "good" if good else "unknown", "; ".join(parts))


_BAD: tuple[Honesty, ...] = ("ignored", "refused")


def _slow(streams: list[str]) -> str:
    return (
        f"What changed cannot be asked for in {listed(streams)}: they are read whole in each run, "
        "which loses nothing and takes more requests. Leave out those that you do not need."
    )


def id_order(evidence: Evidence) -> Check:
    """Tell whether streams can be walked along their ids."""
    key, name = "id_order", "Order by id"
    bad = [one.resource.stream for one in evidence.streams if one.id_order.honesty in _BAD]
    if bad or evidence.id_filter.honesty in _BAD:
        words = f"not honoured or refused for {listed(bad)}" if bad else "filter by id not honoured"
        return Check(key, name, "warning", words, _WHOLE)
    if evidence.id_order.honesty == "honoured":
        return Check(key, name, "good", "honoured, and no stream speaks against it")
    return Check(key, name, "unknown", "cannot be told: too few records")


_WHOLE = (
    "Streams that cannot be walked by id are read by pages that overlap where they cannot be read "
    "by change either: more requests, and nothing is lost."
)
