"""Whether a catalog that was handed in can be used; if not, a sentence for its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from singer_sdk.singerlib.catalog import StreamMetadata

from cirqll_client.errors import SettingInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk.singerlib import CatalogEntry

    from cirqll_client.resources import Resource

_REMEDY = "make a catalog with tap-cirqll --discover and select in it"
_METHODS = ("INCREMENTAL", "FULL_TABLE")
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["streams"],
    "properties": {
        "streams": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tap_stream_id", "schema"],
                "properties": {
                    "tap_stream_id": {"type": "string"},
                    "key_properties": {"type": ["array", "null"]},
                    "replication_key": {"type": ["string", "null"]},
                    "replication_method": {"type": ["string", "null"]},
                    "schema": {
                        "type": "object",
                        "required": ["properties"],
                        "properties": {
                            "properties": {
                                "type": "object",
                                "additionalProperties": {
                                    "type": "object",
                                    "properties": {"type": {"type": ["string", "array"]}},
                                },
                            }
                        },
                    },
                    "metadata": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["breadcrumb", "metadata"],
                            "properties": {
                                "breadcrumb": {"type": "array", "items": {"type": "string"}},
                                "metadata": {
                                    "type": "object",
                                    "properties": {"selected": {"type": ["boolean", "null"]}},
                                },
                            },
                        },
                    },
                },
            },
        }
    },
}


def check_form(catalog: object) -> None:
    """Raise ``SettingInvalid`` for what has not the form of a catalog."""
    error = best_match(Draft202012Validator(_FORM).iter_errors(catalog))
    if error is not None:
        place = error.json_path.removeprefix("$").removeprefix(".") or "its beginning"
        msg = f"The catalog cannot be used, it is not one at {place}: {_REMEDY}."
        raise SettingInvalid(msg)


def check_content(catalog: Mapping[str, CatalogEntry], resources: Mapping[str, Resource]) -> None:
    """Raise ``SettingInvalid`` for a catalog of something else; resources by name of stream."""
    for name, entry in catalog.items():
        if not is_selected(entry):
            continue
        if name not in resources:
            msg = (
                f"The catalog selects the stream {name}, which Cirqll does not have (it has "
                f"{', '.join(resources)}): {_REMEDY}."
            )
            raise SettingInvalid(msg)
        _check_entry(name, entry, resources[name])


def is_selected(entry: CatalogEntry) -> bool:
    """Tell whether the catalog selects the stream; without any metadata it does."""
    return entry.metadata.resolve_selection().get((), True)


def _check_entry(name: str, entry: CatalogEntry, resource: Resource) -> None:
    selection = entry.metadata.resolve_selection()
    bookmark_field = resource.bookmark_field
    for field in filter(None, (*resource.keys, bookmark_field)):
        if field not in (entry.schema.properties or {}):
            msg = f"The catalog has no field {field} in the stream {name}: {_REMEDY}."
            raise SettingInvalid(msg)
        if not selection["properties", field]:
            msg = (
                f"The catalog deselects the field {field} of the stream {name}, which the tap and "
                "the loader need to tell rows and their changes apart: select it."
            )
            raise SettingInvalid(msg)
    root = entry.metadata.get(())
    if not isinstance(root, StreamMetadata):
        root = StreamMetadata()
    for key in (entry.replication_key, root.replication_key):
        if key not in {None, bookmark_field}:
            msg = (
                f"The catalog gives the stream {name} the replication key {key}, but its changes "
                f"can only be told by {bookmark_field}: correct it, or {_REMEDY}."
            )
            raise SettingInvalid(msg)
    for method in (entry.replication_method, root.forced_replication_method):
        if method not in {None, *_METHODS}:
            msg = (
                f"The catalog gives the stream {name} the replication method {method}, but it can "
                f"only be read {' or '.join(_METHODS)}: choose one of them."
            )
            raise SettingInvalid(msg)
