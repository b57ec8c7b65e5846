"""The recordings: each exchange as a value, read without vcrpy and without the client."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import yaml

from cirqll_client.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cirqll_client.resources import Resource

FOLDER = Path(__file__).with_name("recordings")
SANDBOX = FOLDER / "sandbox"
_BY_PATH = {one.name: one for one in RESOURCES}
_DEEDS = {
    ("GET", False): "index",
    ("GET", True): "show",
    ("POST", False): "create",
    ("PATCH", True): "update",
    ("DELETE", True): "delete",
}


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and its answer."""

    method: str
    path: str
    query: Mapping[str, str]
    sent: str
    status: int
    headers: Mapping[str, str]
    """Their names in lower case."""
    body: str
    place: str = ""
    """Where it stands: the file, and the how-manieth it is."""

    @cached_property
    def said(self) -> Any:
        """The JSON of the answer; ``None`` for what is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of a form that was sent."""
        return dict(parse_qsl(self.sent))

    @property
    def is_good(self) -> bool:
        """Whether it was answered with a success."""
        return 200 <= self.status < 300

    @property
    def resource(self) -> Resource | None:
        """What it is about."""
        parts = self.path.split("/")
        return _BY_PATH.get(parts[2]) if parts[1:2] == ["api"] and len(parts) > 2 else None

    @property
    def deed(self) -> str:
        """``index``, ``show``, ``create``, ``update``, ``delete``; empty for anything else."""
        is_one = len(self.path.split("/")) == 4
        return _DEEDS.get((self.method, is_one), "") if self.resource else ""

    @property
    def is_page(self) -> bool:
        """Whether an Index was answered with a success."""
        return self.is_good and self.deed == "index"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The records of a page."""
        data = self.said.get("data") if self.is_page and isinstance(self.said, dict) else None
        return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records that came, be it one or a page of them."""
        if self.deed == "index" or not self.is_good:
            return self.rows
        return [self.record] if self.deed and "id" in self.record else []

    @property
    def record(self) -> dict[str, Any]:
        """The object that came, without a ``data`` around it; empty where none did."""
        bare = self.said.get("data", self.said) if isinstance(self.said, dict) else None
        return bare if isinstance(bare, dict) else {}

    def listed(self, parameter: str) -> list[str]:
        """The members of a list among the parameters."""
        return [one for one in self.query.get(parameter, "").split(",") if one]


def folders() -> list[Path]:
    """Name the folders with recordings, the sandbox's and those of accounts."""
    return sorted(path for path in FOLDER.iterdir() if path.is_dir())


def exchanges_in(folder: Path) -> list[Exchange]:
    """Read all recordings of a folder."""
    return [one for file in sorted(folder.glob("*.yaml")) for one in exchanges_of(file)]


def exchanges_of(file: Path) -> list[Exchange]:
    """Read one recording."""
    recorded = yaml.load(file.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return [
        _exchange(one, place=f"{file.parent.name}/{file.name} #{number}")
        for number, one in enumerate(recorded["interactions"], start=1)
    ]


def _exchange(recorded: dict[str, Any], *, place: str) -> Exchange:
    request, response = recorded["request"], recorded["response"]
    url = urlsplit(request["uri"])
    return Exchange(
        method=request["method"],
        path=url.path,
        query=dict(parse_qsl(url.query)),
        sent=request["body"] or "",
        status=response["status"]["code"],
        headers={name.lower(): values[0] for name, values in response["headers"].items()},
        body=response["body"]["string"] or "",
        place=place,
    )
