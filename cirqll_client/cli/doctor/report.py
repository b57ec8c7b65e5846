"""The report for the maintainers: what the API does, and nothing of what is in it.

It holds no value, no id, no name of an account, a user, a company or a custom field, and no host
but the public one. By it the guesses of this software about Cirqll get settled.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import click

from cirqll_client.cli.doctor.as_json import facts
from cirqll_client.settings import DEFAULT_API_URL

if TYPE_CHECKING:
    from pathlib import Path

    from cirqll_client.cli.doctor.diagnosis import Diagnosis, StreamDiagnosis
    from cirqll_client.cli.doctor.fields import FieldSeen

_MARK = "cirqll doctor, without personal data"


def report_text(diagnosis: Diagnosis) -> str:
    """Write the report: JSON, a line for each field, so that a person can read it."""
    head = {
        "report": _MARK,
        "version": version("tap-cirqll"),
        "host": _host(diagnosis.evidence.api_url),
    }
    checks = {one.key: {"state": one.state, "words": one.words} for one in diagnosis.checks}
    parts = [
        *(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()),
        f'"checks": {_lines(checks)}',
        f'"facts": {_lines(facts(diagnosis))}',
        *(_stream(one) for one in diagnosis.streams),
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write_report(path: Path, text: str) -> None:
    """Write it, over an older one only. Raises ``click.ClickException``."""
    try:
        if path.exists() and _MARK not in path.read_text("utf-8", "replace")[:200]:
            msg = f"The file {path} is there already and is no report: name another one."
            raise click.ClickException(msg)
        path.write_text(text, "utf-8")
    except OSError as error:
        msg = f"The report could not be written to {path}: {error.strerror}. Name another file."
        raise click.ClickException(msg) from None


def _host(api_url: str) -> str:
    return DEFAULT_API_URL if api_url == DEFAULT_API_URL else "not the public one"


def _lines(members: dict[str, Any]) -> str:
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in members.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _stream(one: StreamDiagnosis) -> str:
    told: dict[str, Any] = {
        "failure": one.failure,
        "status": one.status,
        "filter": one.filter,
        "order": one.order,
        "id_order": one.id_order,
        "words": one.words,
        "unnamed_fields": one.fields.unnamed,
        "missing": list(one.fields.missing),
        **{f"field {field.name}": _field(field) for field in one.fields.fields},
    }
    return f"{json.dumps(f'stream {one.stream}')}: {_lines(told)}"


def _field(field: FieldSeen) -> dict[str, Any]:
    """Tell of a field; shares are rounded, so that they count nothing."""
    return {
        "types": list(field.types),
        "null_share": round(field.nulls / field.rows, 2),
        "longest": field.longest,
        "documented_as": field.documented_as,
        "contradiction": field.contradiction,
    }
