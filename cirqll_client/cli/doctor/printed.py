"""The result for a person: tables, then what to do about each trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cirqll_client.cli.doctor.checks import counted, listed
from cirqll_client.cli.layout import pairs, printable, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.cli.doctor.checks import State
    from cirqll_client.cli.doctor.custom_columns import CustomField
    from cirqll_client.cli.doctor.diagnosis import Diagnosis, StreamDiagnosis
    from cirqll_client.cli.doctor.fields import FieldSeen
    from cirqll_client.findings import Honesty

_STATES: dict[State, str] = {"good": "ok", "warning": "careful", "stops": "NO", "unknown": "?"}
_HONESTY: dict[Honesty, str] = {
    "honoured": "yes",
    "ignored": "no",
    "refused": "refused",
    "unknown": "?",
}


def printed(diagnosis: Diagnosis) -> str:
    """Give all of it; parts are separated by an empty line."""
    return "\n\n".join(_parts(diagnosis))


def _parts(diagnosis: Diagnosis) -> Iterator[str]:
    checks = [one for one in diagnosis.checks if diagnosis.evidence.heard or one.state != "unknown"]
    rows = [[one.name, _STATES[one.state], one.private_words or one.words] for one in checks]
    yield table(["Check", "", "What was found"], rows)
    if diagnosis.streams:
        head = ["Stream", "Read", "Filter", "Order", "Records", "Undocumented fields", ""]
        yield table(head, [_row(one) for one in diagnosis.streams])
    if diagnosis.custom_fields:
        head = ["Stream", "Custom field", "Type", "Column"]
        yield f"{_CUSTOM}\n{table(head, [_custom(one) for one in diagnosis.custom_fields])}"
    for title, told in _fields(diagnosis).items():
        if told:
            yield f"{title}:\n{pairs(told)}"
    troubles = [*diagnosis.stops, *diagnosis.warnings]
    advice = [f"- {one.name}: {printable(one.remedy)}" for one in troubles if one.remedy]
    if advice:
        yield "What to do:\n" + "\n".join(advice)
    yield _end(diagnosis)


_CUSTOM = "Custom fields, each with its column (by the setting custom_fields: columns):"


def _custom(one: CustomField) -> list[str]:
    return [one.stream or "?", one.name, one.type or "as its values", one.column or "?"]


def _row(one: StreamDiagnosis) -> list[str]:
    number = len(one.fields.undocumented) + one.fields.unnamed
    if one.failure:
        return [one.stream, "no", "", "", "", "", f"{one.failure} {one.status or ''}".strip()]
    return [
        one.stream,
        "yes",
        _HONESTY[one.filter],
        _HONESTY[one.order],
        str(one.fields.rows),
        str(number) if number else "",
        one.words,
    ]


def _fields(diagnosis: Diagnosis) -> dict[str, list[tuple[str, str]]]:
    """Give the fields that are worth a word, by stream."""
    told: dict[str, list[tuple[str, str]]] = {
        "Undocumented fields": [],
        "Documented fields that never came": [],
        "Fields otherwise than documented": [],
    }
    undocumented, missing, odd = told.values()
    for one in diagnosis.streams:
        names = [_typed(field) for field in one.fields.undocumented]
        if one.fields.unnamed:
            names.append(f"{counted(one.fields.unnamed, 'field')} whose names may be data")
        if names:
            undocumented.append((one.stream, ", ".join(names)))
        if one.fields.missing:
            missing.append((one.stream, ", ".join(one.fields.missing)))
        contradicting = [
            f"{field.name} ({field.contradiction})" for field in one.fields.contradicting
        ]
        if contradicting:
            odd.append((one.stream, ", ".join(contradicting)))
    return told


def _typed(field: FieldSeen) -> str:
    return f"{field.name} ({' or '.join(field.types) or 'always null'})"


def _end(diagnosis: Diagnosis) -> str:
    evidence = diagnosis.evidence
    spent = f"{evidence.requests} of at most {evidence.most_requests} requests were sent."
    if diagnosis.stops:
        names = listed([one.name for one in diagnosis.stops])
        return f"This account cannot be read as it is: see {names}. {spent}"
    if diagnosis.warnings:
        number = counted(len(diagnosis.warnings), "warning")
        return f"This account can be read, with {number}. {spent}"
    return f"This account can be read. {spent}"
