"""What a dry run found: all that a real run would do, for the person who decides about it.

It shows the content of records, since that is what was asked for, but no field that the schema
marks ``writeOnly``, such as a password.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import msgspec

from cirqll_client.errors import SettingInvalid
from cirqll_client.redaction import HIDDEN, one_line
from cirqll_client.resources import resource_of_stream
from target_cirqll.actions import Create, Delete, Nothing, Update
from target_cirqll.made_up import Words, shown_fields, shown_id, shown_in_words
from target_cirqll.rejects import exact_json
from target_cirqll.summary import PLANNED, REJECTED, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cirqll_client.resources import Resource
    from target_cirqll.actions import Action, Deed
    from target_cirqll.rejects import Origin
    from target_cirqll.rows import Reject, RejectKind

Detail = dict[str, Any]
"""What is told of one row, as the JSON report has it."""

_HEAD = (
    "Dry run: nothing was written to Cirqll. A run without dry_run does the following, unless "
    "Cirqll refuses a row or something changes in between."
)
_HEAD_OF_A_PART = (
    "Dry run: nothing was written to Cirqll. It ended early, so this is not all; a run without "
    "dry_run begins with the following, unless something changes in between."
)
_IN_DETAIL: dict[Deed, str] = {
    "created": "create",
    "updated": "update",
    "deleted": "delete",
    "archived": "archive",
}
_LONGEST_VALUE = 60
_MOST_REASONS = 5
"""Rejects of a kind that the text shows; the JSON has as many as of all else."""


@dataclass(slots=True)
class _Plan:
    """What would be done for one stream: all rows counted, the first ones in detail."""

    tally: Tally = field(default_factory=Tally)
    deeds: defaultdict[Deed, list[Detail]] = field(default_factory=lambda: defaultdict(list))
    rejects: defaultdict[RejectKind, list[Detail]] = field(
        default_factory=lambda: defaultdict(list)
    )


class Preview:
    """The report of a dry run. For one thread; memory does not grow with the rows."""

    def __init__(self, *, most_shown: int = 20) -> None:
        """Keep the details of the first so many rows of each kind, by stream."""
        self._most_shown = most_shown
        self._plans: defaultdict[str, _Plan] = defaultdict(_Plan)
        self._is_whole = False
        self._warnings: list[str] = []

    def add(self, stream: str, *, action: Action, key: Mapping[str, Any]) -> None:
        """Note what would be done for a row that has this key at its source."""
        plan = self._plans[stream]
        deed = _deed(action)
        plan.tally.did(deed, why=action.why if isinstance(action, Nothing) else "")
        if not isinstance(action, Nothing) and len(plan.deeds[deed]) < self._most_shown:
            plan.deeds[deed].append(_detail(action, key))

    def reject(self, origin: Origin, *, reject: Reject) -> None:
        """Note a row that would be refused."""
        plan = self._plans[origin.stream]
        plan.tally.rejected(reject.kind)
        if len(plan.rejects[reject.kind]) < self._most_shown:
            plan.rejects[reject.kind].append(_refusal(origin, reject))

    def finish(self, *, warnings: Iterable[str] = ()) -> None:
        """Note that all rows were seen, and what a person should know before the real run."""
        self._is_whole = True
        self._warnings.extend(warnings)

    def text(self) -> str:
        """Write it for a terminal, where no value can forge a line or move the cursor."""
        head = _HEAD if self._is_whole else _HEAD_OF_A_PART
        streams = (line for stream, plan in self._plans.items() for line in _lines(stream, plan))
        rows = streams if self._plans else ["No rows came."]
        warnings = (line for one in self._warnings for line in ("", f"Warning: {one}"))
        return "\n".join([head, *rows, *warnings]) + "\n"

    def as_json(self) -> str:
        """Write it for machines: values whole, decimals exact, what may be missing empty."""
        report = {
            "dry_run": True,
            "is_whole": self._is_whole,
            "warnings": self._warnings,
            "streams": {stream: _facts(plan) for stream, plan in self._plans.items()},
        }
        text = exact_json(report)
        with suppress(msgspec.DecodeError):  # it does not know half a surrogate pair
            text = msgspec.json.format(text, indent=2)
        return text.decode() + "\n"

    def write_json(self, path: Path) -> None:
        """Put the JSON in a file of its owner's, whole or not at all. Raises ``SettingInvalid``."""
        try:
            _replace(path, self.as_json())
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            msg = (
                f"The report of the dry run could not be written to {path} ({reason}). Correct the "
                "setting dry_run_path: the folder must be there, and this user must be able to "
                "write to it. Nothing was written to Cirqll either."
            )
            raise SettingInvalid(msg) from error


def _deed(action: Action) -> Deed:
    match action:
        case Create():
            return "created"
        case Delete():
            return "deleted"
        case _:
            return action.deed


def _detail(action: Create | Update | Delete, key: Mapping[str, Any]) -> Detail:
    resource = action.resource
    shown_key = _without_secrets(key, resource)
    if isinstance(action, Create):
        return {"key": shown_key, "fields": _shown_fields(action.body, resource)}
    detail = {"id": shown_id(resource, action.record_id), "key": shown_key}
    if isinstance(action, Update):
        changes = action.changes
        before = _shown_fields({name: action.before.get(name) for name in changes}, resource)
        after = _shown_fields(changes, resource)
        detail["fields"] = {
            name: {"before": before[name], "after": after[name]} for name in changes
        }
    return detail


def _refusal(origin: Origin, reject: Reject) -> Detail:
    key = _without_secrets(origin.key, resource_of_stream(origin.resource))
    names_ids = reject.kind == "ambiguous"
    return {
        "position": origin.position,
        "id": origin.id,
        "key": key,
        "field": reject.field,
        "reason": shown_in_words(reject.reason) if names_ids else reject.reason,
    }


def _shown_fields(fields: Mapping[str, Any], resource: Resource) -> dict[str, Any]:
    return shown_fields(_without_secrets(fields, resource))


def _without_secrets(fields: Mapping[str, Any], resource: Resource | None) -> dict[str, Any]:
    """Hide what the API never tells; that there is nothing is no secret."""
    known = resource.schema["properties"] if resource else {}
    secret = {name for name, of in known.items() if of.get("writeOnly")}
    return {
        name: HIDDEN if name in secret and value is not None else value
        for name, value in fields.items()
    }


def _facts(plan: _Plan) -> dict[str, Any]:
    tally = plan.tally
    return {
        "rows": tally.rows,
        **{
            name: {"count": tally.deeds[deed], "first": plan.deeds.get(deed, [])}
            for deed, name in _IN_DETAIL.items()
        },
        "unchanged": {"count": tally.deeds["unchanged"]},
        "left": {"count": tally.deeds["left"], "reasons": dict(tally.left)},
        "rejected": {
            "count": tally.rejects.total(),
            "kinds": {
                kind: {"count": tally.rejects[kind], "first": first}
                for kind, first in plan.rejects.items()
            },
        },
    }


def _lines(stream: str, plan: _Plan) -> Iterator[str]:
    yield ""
    yield f"{one_line(stream)}: {plan.tally.words(PLANNED)}."
    for deed in _IN_DETAIL:
        yield from _deed_lines(deed, plan)
    for kind, first in plan.rejects.items():
        yield f"  Rejected, {REJECTED[kind]}:"
        yield from (f"    {_refusal_words(one)}" for one in first[:_MOST_REASONS])
        yield from _rest(plan.tally.rejects[kind] - len(first[:_MOST_REASONS]))


def _deed_lines(deed: Deed, plan: _Plan) -> Iterator[str]:
    first = plan.deeds.get(deed)
    if not first:
        return
    yield f"  {PLANNED[deed].capitalize()}:"
    for detail in first:
        yield f"    {_name(detail)}"
        for name, value in detail.get("fields", {}).items():
            words = _shown(value) if deed == "created" else _difference(value)
            # With a dash: Meltano takes the spaces away that lines begin with.
            yield f"      - {_plain(name)}: {words}"
    yield from _rest(plan.tally.deeds[deed] - len(first))


def _rest(number: int) -> Iterator[str]:
    if number > 0:
        yield f"    and {number:,} more"


def _refusal_words(detail: Detail) -> str:
    where = f" ({_plain(detail['field'])})" if detail["field"] else ""
    return f"row {detail['position']:,}, {_name(detail)}{where}: {one_line(detail['reason'])}"


def _name(detail: Detail) -> str:
    """Name a row by what tells it apart."""
    known = {"id": detail.get("id"), **detail["key"]}
    parts = [f"{_plain(name)} {_shown(of)}" for name, of in known.items() if of is not None]
    return ", ".join(parts) or "without a key"


def _difference(fields: Mapping[str, Any]) -> str:
    return f"{_shown(fields['before'])} → {_shown(fields['after'])}"


def _shown(value: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """Write a value as JSON, so that ``"12"`` is not ``12``; cut short if it is long."""
    if value == HIDDEN or isinstance(value, Words):
        return str(value)
    return _plain(exact_json(value).decode())


def _plain(text: str) -> str:
    """Escape what is not to be seen, then cut: neither cursor nor direction of a terminal moves."""
    seen = "".join(
        letter if letter.isprintable() else f"\\u{ord(letter):04x}"
        for letter in text[: _LONGEST_VALUE + 1]
    )
    return seen if len(seen) <= _LONGEST_VALUE else f"{seen[: _LONGEST_VALUE - 1]}…"


def _replace(path: Path, text: str) -> None:
    """Put a file in the place of another; what is no ordinary file stays as it is."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        msg = "it is no ordinary file"
        raise ValueError(msg)
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".cirqll-", delete=False
    ) as file:
        beside = Path(file.name)
        try:
            file.write(text)
            file.close()
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
