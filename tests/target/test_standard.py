"""The Singer SDK's standard tests, against a sandbox.

None of their streams is a resource of Cirqll, so a stream map makes notes of all their rows. They
ask little: most hold for any program that reads its input without an error. What they leave open
(which STATE comes out when, what was written) is asked in ``test_singer.py``.
"""

from __future__ import annotations

import signal
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.runners import TargetTestRunner

from target_cirqll.target import TargetCirqll

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.tap.conftest import Source

NOT_FOR_AN_API = {
    "test_target_record_missing_key_property": (
        "It asks that the run stops at a row without its key. Here one bad row is a reject, or is "
        "found in Cirqll by other fields, and the others are written."
    ),
}
MADE_SENSE = {
    "test_target_array_data",
    "test_target_camelcase",
    "test_target_camelcase_complex_schema",
    "test_target_cli_prints",
    "test_target_duplicate_records",
    "test_target_encoded_string_data",
    "test_target_invalid_schema",
    "test_target_no_primary_keys",
    "test_target_optional_attributes",
    "test_target_pk_updates",
    "test_target_record_before_schema",
    "test_target_record_missing_fields",
    "test_target_schema_no_properties",
    "test_target_schema_updates",
    "test_target_special_chars_in_attributes",
}

StandardTests = get_target_test_class(TargetCirqll)


def test_each_standard_test_is_run_or_has_a_reason() -> None:
    names = {name for name in dir(StandardTests) if name.startswith("test_")}

    assert names == MADE_SENSE | set(NOT_FOR_AN_API)


class TestStandard(StandardTests):  # type: ignore[misc, valid-type] # made by the SDK
    @pytest.fixture(autouse=True)
    def _only_what_makes_sense(self, request: pytest.FixtureRequest) -> None:
        """Leave out what is no promise of a target for an API."""
        if reason := NOT_FOR_AN_API.get(request.node.name):
            pytest.skip(reason)

    @pytest.fixture
    def runner(self, source: Source, tmp_path: Path) -> Iterator[TargetTestRunner]:
        """Write to the sandbox; the SDK's tests look at whether that went well."""
        config = {
            **source.settings,
            "store_url": f"sqlite:///{tmp_path / 'store.sqlite'}",
            "rejects_path": str(tmp_path / "rejects.jsonl"),
            "stream_maps": {"*": {"__alias__": "notes", "description": "'from a standard test'"}},
        }
        handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
        runner = ClosingRunner(TargetCirqll, config=config)
        with closing(runner):
            yield runner
        for number, handler in handlers.items():
            signal.signal(number, handler)


class ClosingRunner(TargetTestRunner):
    """Closes the runs of its targets, as the program does."""

    def create(self, kwargs: dict[str, Any] | None = None) -> TargetCirqll:
        """Make a target, and remember it."""
        target = super().create(kwargs)
        assert isinstance(target, TargetCirqll)
        self.created = [*getattr(self, "created", []), target]
        return target

    def close(self) -> None:
        """Close what has begun."""
        for target in getattr(self, "created", []):
            if "run" in vars(target):
                target.run.close()
