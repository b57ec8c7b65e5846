"""The target's own settings, and what they ask for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from singer_sdk import typing as th

from cirqll_client.errors import SettingInvalid
from cirqll_client.resources import RESOURCES, resource_of_stream
from target_cirqll.policy import Conflict, OnDelete, Policy, WriteMode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cirqll_client.resources import Resource

_DEFAULTS: dict[str, Any] = {each.name: each.default for each in fields(Policy)}

TARGET_SETTINGS: tuple[th.Property[Any], ...] = (
    th.Property(
        "write_mode",
        th.StringType(allowed_values=list(get_args(WriteMode))),
        default=_DEFAULTS["write_mode"],
        title="Write mode",
        description=(
            "upsert creates what is not in Cirqll and updates what is; update never creates; "
            "create never updates."
        ),
    ),
    th.Property(
        "match_on",
        th.ObjectType(
            additional_properties=th.CustomType(
                {"type": ["array", "string"], "items": {"type": "string"}}
            )
        ),
        title="Match on",
        description=(
            "By which fields a row without id finds its record, for each resource and in the order "
            'of trying: {"customers": ["import_id", "email"]}.'
        ),
    ),
    th.Property(
        "on_delete",
        th.StringType(allowed_values=list(get_args(OnDelete))),
        default=_DEFAULTS["on_delete"],
        title="On delete",
        description=(
            "What becomes of the record of a row that was deleted at its source (it carries "
            "_sdc_deleted_at): ignore leaves it, archive sets its archived_at, delete deletes it."
        ),
    ),
    th.Property(
        "max_deletions",
        th.NumberType(minimum=0, maximum=1),
        default=_DEFAULTS["max_deletions"],
        title="Max deletions",
        description=(
            "The share of a resource's records, from 0 to 1, that one run may delete or archive; a "
            "run that would take more stops before it does."
        ),
    ),
    th.Property(
        "conflict",
        th.StringType(allowed_values=list(get_args(Conflict))),
        default=_DEFAULTS["conflict"],
        title="Conflict",
        description=(
            "Who wins if the record changed in Cirqll after the updated_at that the row carries: "
            "warehouse_wins writes the row, crm_wins leaves the record, report rejects the row."
        ),
    ),
    th.Property(
        "dry_run",
        th.BooleanType,
        default=False,
        title="Dry run",
        description="Read everything, write nothing, and show what a run would do.",
    ),
    th.Property(
        "dry_run_path",
        th.StringType,
        default="cirqll-dry-run.json",
        title="Dry run path",
        description="The file that a dry run writes what it shows to, as JSON.",
    ),
    th.Property(
        "rejects_path",
        th.StringType,
        default="cirqll-rejects.jsonl",
        title="Rejects path",
        description="The file that gets a line of JSON for each row that was not written, and why.",
    ),
    th.Property(
        "rejects_with_record",
        th.BooleanType,
        default=False,
        title="Rejects with record",
        description="Put the whole row into that line too; rows may be personal data.",
    ),
    th.Property(
        "max_rejects",
        th.IntegerType(minimum=0),
        title="Max rejects",
        description="Stop the run at the first reject beyond so many. If not set, it never stops.",
    ),
    th.Property(
        "fail_on_rejects",
        th.BooleanType,
        default=True,
        title="Fail on rejects",
        description="End with exit code 3 if rows were rejected.",
    ),
    th.Property(
        "write_custom_fields",
        th.BooleanType,
        default=_DEFAULTS["write_custom_fields"],
        title="Write custom fields",
        description=(
            "Write the values of custom fields (field_values) too. Cirqll does not document how, "
            "so try it on a few records first."
        ),
    ),
    th.Property(
        "source",
        th.StringType,
        title="Source",
        description=(
            "A name for where the rows come from, if several sources write to one account: keys of "
            "one are then not taken for keys of another."
        ),
    ),
    th.Property(
        "concurrency",
        th.IntegerType(minimum=1, maximum=32),
        default=_DEFAULTS["concurrency"],
        title="Concurrency",
        description="How many writes may be in flight at once.",
    ),
    th.Property(
        "batch_size_rows",
        th.IntegerType(minimum=1),
        title="Batch size",
        description="How many rows are compared with Cirqll at once. If not set, 1000.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporting:
    """What a run leaves for a person to read."""

    rejects_path: Path
    rejects_with_record: bool
    max_rejects: int | None
    dry_run_path: Path | None
    """``None``: this is no dry run, and rows are written."""


def reporting_of(config: Mapping[str, Any]) -> Reporting:
    """Say what the settings ask a run to leave behind."""
    return Reporting(
        rejects_path=Path(config["rejects_path"]),
        rejects_with_record=config["rejects_with_record"],
        max_rejects=config.get("max_rejects"),
        dry_run_path=Path(config["dry_run_path"]) if config["dry_run"] else None,
    )


def policy_of(config: Mapping[str, Any]) -> Policy:
    """Say how the settings ask rows to be written. Raises ``SettingInvalid`` for ``match_on``."""
    given = {name: config[name] for name in _DEFAULTS if name in config}
    given["max_deletions"] = float(config["max_deletions"])  # a file may have an exact decimal
    given["match_on"] = _match_on(config.get("match_on") or {})
    return Policy(**given)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Name what may have been meant."""
    close = get_close_matches(name, list(known), n=1)
    return close[0] if close else None


def _match_on(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {}
    for name, of_resource in given.items():
        resource = _resource(name)
        names = [of_resource] if isinstance(of_resource, str) else of_resource
        if resource.name in chosen:
            _refuse(f"names {resource.stream} twice, in the singular too: put all into one list")
        chosen[resource.name] = _fields(resource, names)
    return chosen


def _resource(name: str) -> Resource:
    resource = resource_of_stream(name)
    if resource is None:
        streams = [one.stream for one in RESOURCES]
        meant = nearest(name, streams)
        advice = f"did you mean {meant}?" if meant else f"known are: {', '.join(streams)}"
        _refuse(f"names {name}, which is no resource of Cirqll; {advice}")
    return resource


def _fields(resource: Resource, names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        _refuse(f"names no field for {resource.stream}: give one, or leave the resource out")
    for name in names:
        _check_field(resource, name)
    return tuple(dict.fromkeys(names))


def _check_field(resource: Resource, name: str) -> None:
    known = resource.schema["properties"]
    usable = [one for one, schema in known.items() if not _why_not(one, schema)]
    if name not in known:
        meant = nearest(name, usable)
        advice = f"did you mean {meant}?" if meant else f"known are: {', '.join(usable)}"
        _refuse(f"names the field {name}, which {resource.stream} do not have; {advice}")
    if reason := _why_not(name, known[name]):
        _refuse(f"names the field {name} of {resource.stream}, {reason}: choose another field")


def _why_not(name: str, schema: Mapping[str, Any]) -> str | None:
    """Say why records cannot be told apart by a field, in words that follow its name."""
    types = schema.get("type", "string")
    if name == "id":
        return "by which rows that carry it are matched already"
    if schema.get("readOnly"):
        return "which Cirqll sets itself, so that no row can bring it"
    if schema.get("writeOnly"):
        return "which Cirqll never shows, so that nothing can be found by it"
    if {"object", "array"} & {*([types] if isinstance(types, str) else types)}:
        return "whose values are objects or lists, by which Cirqll cannot filter"
    return None


def _refuse(words: str) -> NoReturn:
    msg = f"The setting match_on {words}{'' if words.endswith('?') else '.'}"
    raise SettingInvalid(msg)
