"""What `meltano.yml`, `.env.example` and `requirements/` say is what the programs say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from cirqll_client.sealing import KEY_VARIABLE
from cirqll_client.settings import SignInSettings
from demo.meltano_project import REPOSITORY, program

OF_THE_SDK = {
    "faker_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_max_key_length",
    "flattening_separator",
    "stream_map_config",
    "stream_maps",
}
OURS = ["tap-cirqll", "target-cirqll"]
OF_POSTGRESQL = ["tap-postgres", "target-postgres"]
CHANGED_ON_PURPOSE = {"default_target_schema": "cirqll", "validate_records": False}
SECRETS = {"password", "private_key", "private_key_password", "sqlalchemy_url"}


@pytest.mark.parametrize("plugin", OURS)
def test_our_plugins_settings_are_those_of_the_program(plugin: str) -> None:
    told = _without_the_sdks(_about(plugin))
    written = _without_the_sdks({one["name"]: one for one in _plugin(plugin)["settings"]})

    assert list(written) == list(told)
    for name, setting in told.items():
        assert written[name].get("value") == setting.get("default"), name
        assert written[name].get("sensitive", False) == setting.get("secret", False), name
        assert written[name]["description"] == setting["description"], name


def test_the_target_declares_the_settings_of_the_sdk_too() -> None:
    names = {one["name"] for one in _plugin("target-cirqll")["settings"]}

    assert names == set(_about("target-cirqll"))


def test_no_setting_is_of_a_kind_that_meltano_cannot_write() -> None:
    """Kind decimal: Meltano 4.4.1 cannot turn its value into JSON for the plugin."""
    kinds = {one.get("kind") for name in OURS for one in _plugin(name)["settings"]}

    assert "decimal" not in kinds


@pytest.mark.parametrize("plugin", OF_POSTGRESQL)
def test_the_settings_of_postgresqls_plugins_are_those_of_the_programs(plugin: str) -> None:
    told = _flat(_about(plugin))
    written = {setting["name"]: setting for setting in _plugin(plugin)["settings"]}

    assert set(written) == set(told)
    for name, setting in told.items():
        expected = CHANGED_ON_PURPOSE.get(name, setting.get("default"))
        assert written[name].get("value") == expected, name


@pytest.mark.parametrize("plugin", [*OURS, *OF_POSTGRESQL])
def test_every_secret_is_sensitive(plugin: str) -> None:
    for setting in _plugin(plugin)["settings"]:
        last = setting["name"].rpartition(".")[2]
        is_secret = last in SECRETS or last.endswith(("_token", "_secret"))
        assert setting.get("sensitive", False) or not is_secret, setting["name"]


@pytest.mark.parametrize("plugin", OURS)
def test_each_setting_of_ours_has_a_short_name_in_the_environment(plugin: str) -> None:
    names = _without_the_sdks({one["name"]: one for one in _plugin(plugin)["settings"]})

    assert _plugin(plugin)["config"] == {name: f"$CIRQLL_{name.upper()}" for name in names}


def test_the_example_of_env_names_all_that_can_stand_in_it() -> None:
    example = (REPOSITORY / ".env.example").read_text()

    in_example = re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)

    of_settings = {f"CIRQLL_{name.upper()}" for one in OURS for name in _plugin(one)["config"]}
    of_sign_in = {
        f"CIRQLL_{one.name.removeprefix('has_').upper()}" for one in fields(SignInSettings)
    }
    of_connect = {"CIRQLL_CONNECT_URL", "CIRQLL_CONNECT_KEY"}
    assert sorted(in_example) == sorted(
        {*of_settings, *of_sign_in, *of_connect, KEY_VARIABLE, "DATABASE_URL"}
    )


def test_requirements_name_no_package_index() -> None:
    for path in (REPOSITORY / "requirements").iterdir():
        lines = path.read_text().splitlines()
        assert not [line for line in lines if "://" in line or "--index" in line], path.name


def test_constraints_are_the_versions_of_the_runtime() -> None:
    pins = [_pins(name) for name in ("constraints.txt", "runtime.txt")]

    assert pins[0].items() <= pins[1].items()


def _about(name: str) -> dict[str, Any]:
    path = Path(sys.executable).with_name(name) if name in OURS else program(name)
    command = [str(path), "--about", "--format=json"]
    finished = subprocess.run(command, capture_output=True, check=True, timeout=60)
    properties: dict[str, Any] = json.loads(finished.stdout)["settings"]["properties"]
    return properties


def _without_the_sdks(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: setting for name, setting in settings.items() if name not in OF_THE_SDK}


def _flat(properties: dict[str, Any]) -> dict[str, Any]:
    tunnel = properties["ssh_tunnel"]["properties"]
    rest = {name: setting for name, setting in properties.items() if name != "ssh_tunnel"}
    return {**rest, **{f"ssh_tunnel.{name}": setting for name, setting in tunnel.items()}}


def _plugin(name: str) -> dict[str, Any]:
    plugins = yaml.safe_load((REPOSITORY / "meltano.yml").read_text())["plugins"]
    everything = [*plugins["extractors"], *plugins["loaders"]]
    plugin: dict[str, Any] = next(one for one in everything if one["name"] == name)
    return plugin


def _pins(name: str) -> dict[str, str]:
    text = (REPOSITORY / "requirements" / name).read_text()
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE))
