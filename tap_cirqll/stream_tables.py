"""The tables of streams and columns in README.md: ``python -m tap_cirqll.stream_tables README.md``.

They are made of the schema files, so that they tell of each column how certain it is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cirqll_client.kinds import kind_of
from cirqll_client.nested import COMPANY, TABLES, nested_of

if TYPE_CHECKING:
    from cirqll_client.resources import Resource

BEGINNING, END = "<!-- streams: made by tap_cirqll.stream_tables -->", "<!-- end of streams -->"
_CERTAINTIES = {"doc": "documented", "likely": "likely", "guess": "guess", "ours": "ours"}


def tables() -> str:
    """Give the tables as Markdown."""
    streams = sorted(TABLES, key=lambda one: one.stream)
    lines = [
        "| stream | a row is | key | bookmark | read from |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += map(_line, streams)
    return "\n".join([*lines, "", *(line for one in streams for line in _columns(one))])


def renewed(text: str) -> str:
    """Give the text of a file with its tables made anew. Raises ``ValueError`` without the marks.

    What stands between the marks is replaced.
    """
    before, rest = text.split(BEGINNING)
    _, after = rest.split(END)
    return f"{before}{BEGINNING}\n\n{tables()}\n{END}{after}"


def _line(resource: Resource) -> str:
    description = str(resource.schema["description"]).rstrip(".")
    cells = [
        f"`{resource.stream}`",
        description[0].lower() + description[1:],
        ", ".join(f"`{key}`" for key in resource.keys),
        f"`{resource.bookmark_field}`" if resource.bookmark_field else "",
        _origin(resource),
    ]
    return f"| {' | '.join(cells)} |"


def _origin(resource: Resource) -> str:
    """Tell what is asked for it."""
    nested = nested_of(resource)
    if nested is not None:
        parents = ", ".join(f"`{one.stream}`" for one in nested.parents)
        return f"along with {parents}" + ("" if resource.is_read_by_default else "; if selected")
    return "`/auth/me`" if resource == COMPANY else f"`{resource.path}`"


def _columns(resource: Resource) -> list[str]:
    lines = [f"<details><summary>Columns of <code>{resource.stream}</code></summary>", ""]
    lines += ["| column | type | certainty | meaning |", "| --- | --- | --- | --- |"]
    for name, schema in resource.schema["properties"].items():
        if not schema.get("writeOnly"):
            lines.append(_column(name, schema))
    return [*lines, "", "</details>"]


def _column(name: str, schema: dict[str, Any]) -> str:
    certainty = _CERTAINTIES[schema["x-certainty"]]
    meaning = str(schema.get("description", "")).replace("|", "\\|")
    return f"| `{name}` | {kind_of(schema).value} | {certainty} | {meaning} |"


def main(path: Path) -> None:
    """Renew the tables in a file."""
    path.write_text(renewed(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
