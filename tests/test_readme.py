"""The tables of settings in README.md are those of the programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tap_cirqll import stream_tables
from tap_cirqll.tap import TapCirqll
from target_cirqll.target import TargetCirqll

README = Path(__file__).parents[1] / "README.md"
LINE = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|([^|]*)\|", re.MULTILINE)
IN_WORDS = {"token_url", "start_date", "requests_per_minute", "store_url", "batch_size_rows"}
"""Without a default; what happens then is told."""


def settings_told() -> dict[str, str]:
    """Give each setting of the tables, with what stands as its default."""
    text = README.read_text().partition("## Settings")[2].partition("\n## ")[0]
    return {
        name: default.strip().strip("`")
        for names, default in LINE.findall(text)
        for name in re.findall(r"\w+", names)
    }


@pytest.mark.parametrize("plugin", [TapCirqll, TargetCirqll])
def test_each_setting_is_in_a_table_with_its_default(plugin: Any) -> None:
    settings: dict[str, Any] = plugin.config_jsonschema["properties"]
    of_the_sdk = {"stream_maps", "stream_map_config", "faker_config", "batch_config"}
    ours = {
        name: setting
        for name, setting in settings.items()
        if name not in of_the_sdk and not name.startswith("flattening_")
    }
    told = settings_told()

    assert ours.keys() <= told.keys()
    for name, setting in ours.items():
        default = setting.get("default")
        shown = str(default).lower() if isinstance(default, bool) else str(default or "")
        assert told[name] == shown or name in IN_WORDS, name


def test_no_setting_is_in_a_table_that_no_program_has() -> None:
    known = {*TapCirqll.config_jsonschema["properties"]}
    known |= {*TargetCirqll.config_jsonschema["properties"]}

    assert settings_told().keys() <= known


def test_the_tables_of_streams_are_as_the_schemas_have_them() -> None:
    """If this fails, run `python -m tap_cirqll.stream_tables README.md`."""
    text = README.read_text()

    assert stream_tables.renewed(text) == text
