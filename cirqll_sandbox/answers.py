"""An answer before it goes over the wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cirqll_sandbox.exact_json import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cirqll_sandbox.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and headers; the body is JSON unless a header says otherwise."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    resource: str = ""
    records: Sequence[str] = ()
    """The records of this resource that the body hands out, each as its JSON."""


def json_answer(status: int, value: Any, **headers: str) -> Answer:
    """The value as JSON."""
    return Answer(status, dumps(value), headers)


def refusal_answer(refusal: Refusal) -> Answer:
    """The answer that a refusal stands for."""
    return json_answer(refusal.status, refusal.body)
