"""The Singer SDK's standard tests, against a sandbox."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class
from singer_sdk.testing.runners import TapTestRunner
from singer_sdk.testing.templates import AttributeTestTemplate

from tap_cirqll.tap import TapCirqll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tap.conftest import Source

CONFIG = SuiteConfig(max_records_limit=None, ignore_no_records_for_streams=["_certificates"])
MODES = {"undocumented_fields": "json", "custom_fields": "array"}
"""Columns that are learned while reading are in no catalog that was made before."""
NOBODY = {"api_url": "http://127.0.0.1:9", "access_token": "not-used-to-name-the-tests", **MODES}

OF_ANY_TYPE = (
    *("customers.address", "emails.from", "emails.to", "settings.value"),
    "field_values.value_json",
)

StandardTests = get_tap_test_class(
    TapCirqll, config=NOBODY, suite_config=CONFIG, parse_env_config=False
)


# A record without odd values has no _nonconforming, and some streams have none at all.
@pytest.mark.filterwarnings("ignore:Fields in transformed catalog but not in records")
@pytest.mark.filterwarnings("ignore:No records were available to test")
class TestStandard(StandardTests):  # type: ignore[misc, valid-type] # made by the SDK
    @pytest.fixture(autouse=True)
    def _values_of_each_attribute(
        self, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
    ) -> None:
        """Let each test look at its own attribute.

        The SDK keeps the values of the first attribute for all others. A column of any JSON is of
        all types at once, which no test of one type can hold for.
        """
        values = vars(AttributeTestTemplate)["non_null_attribute_values"].func
        monkeypatch.setattr(AttributeTestTemplate, "non_null_attribute_values", property(values))
        if any(name in request.node.name for name in OF_ANY_TYPE):
            pytest.skip("a column of any JSON has no one type")

    @pytest.fixture(scope="class")
    @classmethod
    def runner(
        cls, company: Source, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[TapTestRunner]:
        """Read the company once; the SDK's tests look at what came."""
        store = tmp_path_factory.mktemp("store") / "store.sqlite"
        config = {**company.settings, "store_url": f"sqlite:///{store}", **MODES}
        handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
        runner = TapTestRunner(TapCirqll, config=config, suite_config=CONFIG)
        runner.sync_all()
        yield runner
        for number, handler in handlers.items():
            signal.signal(number, handler)
