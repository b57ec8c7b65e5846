"""The judgement on recordings: what in them contradicts the facts, and what is new in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cirqll_client.resources import RESOURCES
from tests.contract.answer_facts import ANSWER_FACTS
from tests.contract.page_facts import PAGE_FACTS
from tests.contract.record_facts import RECORD_FACTS, records_in
from tests.contract.recordings import SANDBOX, exchanges_in
from tests.contract.unknowns import settled_by

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.contract.fact import Fact
    from tests.contract.recordings import Exchange

FACTS: tuple[Fact, ...] = (*ANSWER_FACTS, *PAGE_FACTS, *RECORD_FACTS)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A fact that is none, and where that can be seen first."""

    fact: Fact
    words: str
    place: str
    times: int

    def __str__(self) -> str:
        """Say it in a line."""
        often = f", {self.times} times" if self.times > 1 else ""
        fact = self.fact
        return f"[{fact.certainty}] {fact.name} ({fact.words}): {self.words}; {self.place}{often}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the recordings of a folder say that is otherwise than expected, or new."""

    folder: str
    contradictions: tuple[Contradiction, ...]
    undocumented: dict[str, list[str]]
    """Fields that no schema has, by resource."""
    never_came: dict[str, list[str]]
    """Fields of the schemas that no record had, by resource, where records came."""
    settled: list[str]
    """What nobody knew."""

    def failures(self) -> list[Contradiction]:
        """Give those that fail: of the sandbox, which is our own reading, all of them."""
        is_ours = self.folder == SANDBOX.name
        return [one for one in self.contradictions if is_ours or one.fact.certainty == "doc"]

    def lines(self) -> list[str]:
        """Say all of it, in lines."""
        return [
            *map(str, self.contradictions),
            *_listed("undocumented fields", self.undocumented),
            *_listed("fields that never came", self.never_came),
            *self.settled,
        ]


def judge(folder: Path) -> Judgement:
    """Judge all recordings of a folder."""
    exchanges = exchanges_in(folder)
    undocumented, never_came = _fields(exchanges)
    contradictions, settled = contradictions_in(exchanges), settled_by(exchanges)
    return Judgement(folder.name, contradictions, undocumented, never_came, settled)


def contradictions_in(exchanges: Iterable[Exchange]) -> tuple[Contradiction, ...]:
    """Give each contradiction once, with its first place."""
    places: dict[tuple[str, str], str] = {}
    times: Counter[tuple[str, str]] = Counter()
    for exchange in exchanges:
        for fact in FACTS:
            for words in fact.contradictions(exchange):
                places.setdefault((fact.name, words), exchange.place)
                times[fact.name, words] += 1
    by_name = {fact.name: fact for fact in FACTS}
    return tuple(
        Contradiction(by_name[name], words, place, times[name, words])
        for (name, words), place in places.items()
    )


def _fields(exchanges: Iterable[Exchange]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    came: dict[str, set[str]] = defaultdict(set)
    brought: dict[str, set[str]] = defaultdict(set)
    for exchange in exchanges:
        for resource, record in records_in(exchange):
            came[resource.name].update(record)
            brought[resource.name].update({*resource.to_one, *resource.to_many})
            brought[resource.name].update(f"{name}_count" for name in resource.to_many)
    schemas = {one.name: one.schema["properties"] for one in RESOURCES}
    readable = {
        name: {field for field, each in fields.items() if not each.get("writeOnly")}
        for name, fields in schemas.items()
    }
    undocumented = {
        name: sorted(came[name] - schemas[name].keys() - brought[name]) for name in came
    }
    never_came = {name: sorted(readable[name] - came[name]) for name in came}
    return undocumented, never_came


def _listed(what: str, by_resource: dict[str, list[str]]) -> list[str]:
    return [
        f"{what} of {resource}: {', '.join(names)}"
        for resource, names in sorted(by_resource.items())
        if names
    ]
