"""Which resource the rows of a stream become."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from cirqll_client.errors import SettingInvalid
from cirqll_client.resources import RESOURCES, resource_of_stream
from target_cirqll.settings import nearest

if TYPE_CHECKING:
    from cirqll_client.resources import Resource
    from target_cirqll.policy import WriteMode

_ACTIONS: dict[WriteMode, frozenset[str]] = {
    "upsert": frozenset({"create", "update"}),
    "update": frozenset({"update"}),
    "create": frozenset({"create"}),
}
"""Any of which a resource has to allow for the mode to write anything."""


def destination_of(stream: str, *, write_mode: WriteMode) -> Resource:
    """Find the resource by the name of a stream after its maps, plural or singular.

    A schema before the name, as tap-postgres writes it, is explained, not guessed away: the table
    may be a copy of something else. Raises ``SettingInvalid``.
    """
    resource = resource_of_stream(stream)
    if resource is None:
        raise SettingInvalid(_unknown(stream))
    if not resource.actions & _ACTIONS[write_mode]:
        msg = (
            f"The API cannot {write_mode} {resource.stream}, so the setting write_mode "
            f"({write_mode}) leaves nothing to do for this stream: set it to update, or deselect "
            "the stream in the tap."
        )
        raise SettingInvalid(msg)
    return resource


def _unknown(stream: str) -> str:
    streams = [one.stream for one in RESOURCES]
    last = re.split(r"[-.]", stream)[-1]
    meant = resource_of_stream(last)
    close = meant.stream if meant else nearest(last, streams)
    advice = f"Did you mean {close}?" if close else f"Known are: {', '.join(streams)}."
    stream_map = json.dumps({stream: {"__alias__": close or "customers"}}, ensure_ascii=False)
    return (
        f"The stream {stream} is no resource of Cirqll. {advice} Say what its rows are by the "
        f"setting stream_maps, such as {stream_map}; or deselect the stream in the tap."
    )
