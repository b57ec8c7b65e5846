"""A sandbox with something to look at, and `cirqll doctor` run against it."""

from __future__ import annotations

import json
import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from cirqll_client.cli import main
from cirqll_client.connection import connect
from cirqll_client.findings import Findings
from cirqll_client.reading import Beginning, Reading
from cirqll_client.resources import resource_of_stream
from cirqll_client.settings import ConnectionSettings
from cirqll_client.store import Store
from cirqll_sandbox import Behaviour, Sandbox
from tests.reading_fixtures import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest
    from click.testing import Result

FEW = 30
MANY = 150
"""More than a page of the usual size."""


@dataclass
class Office:
    """Runs the doctor, with a store that lies in a folder of the test."""

    sandbox: Sandbox
    url: str
    folder: Path

    def begin(self, **behaviour: Any) -> None:
        """Start anew, with records that changed a minute apart, the last one a day ago."""
        self.sandbox.reset()
        self.sandbox.behaviour = Behaviour(rate_limit=0)
        for number, resource in ((MANY, "customer"), (FEW, "note")):
            self.fill(resource, number)
        self.sandbox.behaviour = replace(self.sandbox.behaviour, **behaviour)
        self.sandbox.forget_requests()

    def fill(self, resource: str, number: int, **fields: Any) -> None:
        """Add records; changes go by the minute, and not in the order of the ids."""
        now = self.sandbox.clock.now() - timedelta(days=1)
        for one in range(number):
            changed = now - timedelta(minutes=(one * 7) % number)
            written = changed.strftime("%Y-%m-%d %H:%M:%S")
            self.sandbox.rows(resource).insert(updated_at=written, created_at=written, **fields)

    def run(self, *arguments: str, **more: str) -> Result:
        """Run the command; an error that is no sentence is a failure."""
        variables = {
            "CIRQLL_API_URL": self.url,
            "CIRQLL_ACCESS_TOKEN": self.sandbox.access_token,
            "CIRQLL_STORE_URL": self.store_url,
            "CIRQLL_REQUEST_TIMEOUT": "5",
            "HOME": str(self.folder),
            **more,
        }
        done = CliRunner().invoke(main, ["doctor", *arguments], env=variables, prog_name="cirqll")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    def told(self, *arguments: str, **more: str) -> dict[str, Any]:
        """What it says in JSON."""
        told: dict[str, Any] = json.loads(self.run("--json", *arguments, **more).stdout)
        return told

    def read(self, stream: str, *, since_days: float) -> Outcome:
        """Read what changed since then, as the next run does."""
        resource = resource_of_stream(stream)
        assert resource
        self.sandbox.forget_requests()
        warnings: list[str] = []
        with closing(connect(self._settings)) as connection:
            reading = Reading(
                connection.client,
                resource,
                timestamps=connection.timestamps,
                beginning=Beginning(not_before=datetime.now(UTC) - timedelta(days=since_days)),
                warn=warnings.append,
            )
            batches = list(reading.batches())
        queries = [
            {name: values[-1] for name, values in request.query.items()}
            for request in self.sandbox.requests
        ]
        return Outcome(batches, warnings, queries)

    def limits_of_a_run(self) -> list[str]:
        """The limits that a reading of all customers asks for."""
        read = self.read("customers", since_days=10_000)
        assert len(read.ids) == MANY
        return [query["limit"] for query in read.queries]

    @property
    def _settings(self) -> ConnectionSettings:
        return ConnectionSettings(
            api_url=self.url,
            access_token=self.sandbox.access_token,
            store_url=self.store_url,
            requests_per_minute=100_000,
        )

    @property
    def store_url(self) -> str:
        """Where the store is."""
        return f"sqlite:///{self.folder / 'store.sqlite'}"

    @contextmanager
    def findings(self) -> Iterator[Findings]:
        """What the store holds of the account."""
        with closing(Store(self.store_url)) as store:
            yield Findings(store, f"{self.url} default")


@contextmanager
def office_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, size: float = 0, **behaviour: Any
) -> Iterator[Office]:
    """An office in this folder; nothing of the machine's own settings is seen."""
    for name in [name for name in os.environ if name.startswith(("CIRQLL_", "TAP_CIRQLL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    sandbox = Sandbox(seed=1, size=size, behaviour=Behaviour(rate_limit=0, **behaviour))
    with sandbox.running() as url:
        yield Office(sandbox, url, folder)
