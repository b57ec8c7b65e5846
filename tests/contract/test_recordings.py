"""The committed recordings are what the sandbox answers today, and can be handed to anybody."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cirqll_client.resources import RESOURCES
from cirqll_sandbox import Sandbox
from tests.contract.recordings import SANDBOX, exchanges_in

if TYPE_CHECKING:
    from pathlib import Path

WORD = re.compile("[a-z_]+")
"""``contact``, a model of a custom field, is a path too."""
REMEDY = "if the sandbox is right, run: make record RECORD=--sandbox"


def test_the_recordings_are_what_the_sandbox_answers_today(fresh: Path) -> None:
    then = {file.name: file.read_text("utf-8") for file in SANDBOX.iterdir()}
    now = {file.name: file.read_text("utf-8") for file in fresh.iterdir()}
    assert then.keys() == now.keys(), REMEDY
    assert not [name for name in then if then[name] != now[name]], REMEDY


def test_every_resource_is_asked_in_every_way() -> None:
    asked = {
        (one.resource.name, one.deed)
        for one in exchanges_in(SANDBOX)
        if one.resource and one.is_good
    }
    for resource in RESOURCES:
        assert (resource.name, "index") in asked
        assert ((resource.name, "show") in asked) == ("show" in resource.actions)
    assert {deed for _, deed in asked} == {"index", "show", "create", "update", "delete"}


def test_every_error_is_there() -> None:
    statuses = {one.status for one in exchanges_in(SANDBOX)}
    assert statuses >= {200, 201, 204, 400, 401, 403, 404, 422, 429, 500, 502}


def test_no_secret_and_no_value_of_the_sandbox_is_in_them() -> None:
    # Given
    sandbox = Sandbox(seed=1, size=0.02)
    values = {
        value
        for resource in RESOURCES
        for row in sandbox.rows(resource.name).all()
        for value in row.values()
        if isinstance(value, str) and len(value) > 5 and not WORD.fullmatch(value)
    }
    secrets = {sandbox.access_token, sandbox.client.id, sandbox.client.secret}
    # When
    texts = "\n".join(file.read_text("utf-8") for file in SANDBOX.iterdir())
    # Then
    assert len(values) > 100
    assert not [one for one in values | secrets if one in texts]


def test_they_are_small() -> None:
    assert sum(file.stat().st_size for file in SANDBOX.iterdir()) < 500_000
