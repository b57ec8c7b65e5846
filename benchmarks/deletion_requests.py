"""How many requests it takes to find deleted rows, next to reading all ids."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from benchmarks.chart import Chart, Line
from benchmarks.listed_ids import Draw, drawn, questions
from benchmarks.listing_over_http import requests
from benchmarks.report import Gate, Section, Table
from tap_cirqll.comparison import LOOKS_AT_ONCE

if TYPE_CHECKING:
    from benchmarks.listed_ids import How
    from benchmarks.plan import Plan

TITLE: Final = "Deleted rows: requests"
SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
DELETIONS: Final = (1, 5, 50, 1_000)
PAGES: Final = (100, 1_000)
"""The documented default, and the setting's."""
GUARD: Final = 0.2
"""The share of a stream beyond which no deletion is told, by the setting's default."""
IDS_OVER_HTTP: Final = 100_000
OVER_HTTP: Final[tuple[tuple[int, How], ...]] = ((0, "spread"), (5, "spread"), (50, "clustered"))
TENTH: Final = 0.1
HEADER: Final = ("ids, deletions", "questions", "at most", "all ids", "share", "looks at each")
IN_THE_CHART: Final = ((1_000, "spread"), (50, "spread"), (5, "spread"), (1_000, "clustered"))


@dataclass(frozen=True, slots=True)
class _Case:
    """So many ids and deletions, and the page of the server."""

    ids: int
    deletions: int
    how: How
    page: int

    @property
    def name(self) -> str:
        """What it is called in a table."""
        deletions = f"{self.deletions:,} {self.how}" if self.deletions else "none"
        return f"{self.ids:,} ids, {deletions}"

    @property
    def sweep(self) -> int:
        """The pages that reading all ids that are left takes."""
        return max(1, -(-(self.ids - self.deletions) // self.page))

    @property
    def is_told(self) -> bool:
        """Whether so many deletions are believed without being asked."""
        return self.deletions <= GUARD * self.ids

    @property
    def looks(self) -> int:
        """The requests that confirm what was found, those for rows that live included."""
        return self.deletions + -(-self.deletions // LOOKS_AT_ONCE) if self.is_told else 0

    def draw(self, number: int) -> Draw:
        """Draw what is gone."""
        return drawn(
            ids=self.ids, deletions=self.deletions, how=self.how, page=self.page, number=number
        )


@dataclass(frozen=True, slots=True)
class _Cost:
    """The questions that a case took, draw by draw."""

    case: _Case
    questions: tuple[int, ...]

    @property
    def median(self) -> float:
        """The draw in the middle."""
        return statistics.median(self.questions)

    @property
    def share(self) -> float:
        """What that is of reading all ids."""
        return self.median / self.case.sweep

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        case = self.case
        looks = f"{case.looks:,}" if case.is_told else "guard"
        most = max(self.questions)
        share = f"{self.share:.1%}"
        return (case.name, f"{self.median:,.0f}", f"{most:,}", f"{case.sweep:,}", share, looks)


def measure(plan: Plan) -> Section:
    """Count the questions for few and many ids, few and many deletions, small and large pages."""
    draws = plan.size(quick=5, full=25)
    costs = [_cost(case, draws) for case in _cases()]
    served = [_over_http(*one, page=page) for page, one in product(PAGES, OVER_HTTP)]
    return Section(
        TITLE,
        tables=(*(_table(costs, page) for page in PAGES), _http_table(served)),
        charts=tuple(_chart(costs, page) for page in PAGES),
        gates=_gates(costs, served),
        remarks=_remarks(costs, draws=draws),
    )


def _cases() -> list[_Case]:
    hows: tuple[How, ...] = ("spread", "clustered")
    kinds = [(0, hows[0]), *product(DELETIONS, hows)]
    return [
        _Case(ids, deletions, how, page)
        for page, ids, (deletions, how) in product(PAGES, SIZES, kinds)
    ]


def _cost(case: _Case, draws: int) -> _Cost:
    return _Cost(
        case, tuple(questions(case.draw(number), page=case.page) for number in range(draws))
    )


def _table(costs: list[_Cost], page: int) -> Table:
    rows = tuple(cost.cells for cost in costs if cost.case.page == page)
    return Table((f"pages of {page:,}: {HEADER[0]}", *HEADER[1:]), rows)


def _over_http(deletions: int, how: How, *, page: int) -> tuple[_Case, int, int]:
    """Count the questions of one draw by the model, and the requests that reach a server."""
    case = _Case(IDS_OVER_HTTP, deletions, how, page)
    draw = case.draw(0)
    return case, questions(draw, page=page), requests(draw, page=page)


def _http_table(served: list[tuple[_Case, int, int]]) -> Table:
    return Table(
        ("over HTTP", "page", "questions counted here", "requests at the server"),
        tuple(
            (case.name, f"{case.page:,}", str(expected), str(came))
            for case, expected, came in served
        ),
    )


def _chart(costs: list[_Cost], page: int) -> Chart:
    """Draw what is told without being asked, by the number of ids."""
    shown = {
        f"{deletions:,} deleted, {how}": [
            cost
            for cost in costs
            if (cost.case.page, cost.case.deletions, cost.case.how) == (page, deletions, how)
            and cost.case.is_told
        ]
        for deletions, how in IN_THE_CHART
    }
    none = [cost for cost in costs if cost.case.page == page and not cost.case.deletions]
    sweep = Line(
        "all ids", tuple((one.case.ids, one.case.sweep) for one in none), is_reference=True
    )
    return Chart(
        f"deleted-rows-{page}.svg",
        title=f"Requests to find deleted rows, in pages of {page:,}",
        x_title="ids",
        y_title="requests",
        lines=(sweep, *(_line(name, of) for name, of in shown.items()), _line("none", none)),
    )


def _line(name: str, costs: list[_Cost]) -> Line:
    return Line(name, tuple((cost.case.ids, cost.median) for cost in costs))


def _gates(costs: list[_Cost], served: list[tuple[_Case, int, int]]) -> tuple[Gate, ...]:
    none = [cost for cost in costs if not cost.case.deletions]
    beyond = max(max(one.questions) - -(-one.case.ids // one.case.page) for one in costs)
    return (
        _gate("questions where nothing was deleted", max(max(one.questions) for one in none), 1),
        _gate("questions beyond the pages of all that was known", beyond, 1),
        _gate(
            "5 deletions in 100,000, pages of 100: share of all ids", _example(costs).share, TENTH
        ),
        _gate("requests over HTTP beyond those counted", max(abs(a - b) for _, a, b in served), 0),
    )


def _gate(promise: str, figure: float, limit: float) -> Gate:
    return Gate(promise, figure, limit, repeatable=True)


def _example(costs: list[_Cost], page: int = PAGES[0]) -> _Cost:
    """Give the one that the promises name: 5 in 100,000."""
    wanted = _Case(100_000, 5, "spread", page)
    return next(cost for cost in costs if cost.case == wanted)


def _remarks(costs: list[_Cost], *, draws: int) -> tuple[str, ...]:
    small, large = (_example(costs, page) for page in PAGES)
    return (
        (
            f"A search of ids without gaps, {draws} draws of each: the one in the middle, and the "
            "one that took most. *All ids* is a page after the other of those that are left. "
            "Where few pages hold a deletion, the search needs some log2(pages / deletions) "
            "questions for each of them, where they lie together it needs that once, and it never "
            "needs more than one beyond the pages of what was known. *Looks at each* come on top: "
            f"one for each row that is gone, and one at a living row for each {LOOKS_AT_ONCE}; "
            f"beyond {GUARD:.0%} of a stream the guard tells none."
        ),
        (
            f"5 deletions in 100,000 take {small.median:.0f} questions in pages of "
            f"{PAGES[0]:,}, {small.share:.1%} of reading all ids, and {large.median:.0f} in pages "
            f"of {PAGES[1]:,}, which is {large.share:.0%}, since reading all takes only "
            f"{large.case.sweep} there. Well under a tenth of that cannot be had: the pages that "
            f"hold the deletions may be any 5 of {large.case.sweep}, and a count of a range has 6 "
            "outcomes, so by counts alone no method does with less than "
            f"log2 C({large.case.sweep}, 5) / log2 6 = {_fewest(large.case):.0f} questions "
            f"({_fewest(small.case):.0f} in pages of {PAGES[0]:,})."
        ),
    )


def _fewest(case: _Case) -> float:
    """Give the fewest questions that could tell by counts alone in which pages deletions are."""
    pages = case.ids // case.page
    return math.log2(math.comb(pages, case.deletions)) / math.log2(case.deletions + 1)
