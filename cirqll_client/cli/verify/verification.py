"""Verifying a stream so that what it meets does not end the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cirqll_client.cli.verify.outcome import StreamOutcome
from cirqll_client.cli.verify.stream_check import StreamCheck
from cirqll_client.cli.verify.warehouse import TableUnreadable
from cirqll_client.errors import OF_ONE_THING
from cirqll_client.walks import NotHonoured

if TYPE_CHECKING:
    from cirqll_client.cli.verify.stream_check import Sides
    from cirqll_client.cli.verify.warehouse import Table
    from cirqll_client.resources import Resource


@dataclass(slots=True)
class Meter:
    """Counts requests; it listens to the session."""

    spent: int = 0

    def sent(self, _: object) -> None:
        """Count one."""
        self.spent += 1


def outcome_of(
    resource: Resource, table: Table | None, *, sides: Sides, meter: Meter
) -> StreamOutcome:
    """Compare one stream. Raises the ``CirqllError`` that concern all of them."""
    spent, warnings = meter.spent, list[str]()
    try:
        outcome = StreamCheck(sides, resource, table, warn=warnings.append).outcome()
    except OF_ONE_THING as error:
        outcome = StreamOutcome(stream=resource.stream, failure=error.sentence)
    except (NotHonoured, TableUnreadable) as error:
        sentence = f"The table {resource.stream} could not be compared: {error}."
        outcome = StreamOutcome(stream=resource.stream, failure=sentence)
    return replace(outcome, requests=meter.spent - spent, warnings=tuple(warnings))
