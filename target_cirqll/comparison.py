"""What a row would change about a live record, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from unicodedata import normalize

from cirqll_client.kinds import Kind, kind_of
from cirqll_client.ledger import ABSENT, Written
from target_cirqll import custom_fields
from target_cirqll.conversions import Misfit
from target_cirqll.rows import Reject, RowRefused
from target_cirqll.values import canonical_for, digest, folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cirqll_client.resources import Resource
    from cirqll_client.responses import Record
    from cirqll_client.timestamps import Timestamps
    from target_cirqll.rows import Row

CUSTOM = custom_fields.FIELD_VALUES

BOOKMARK = "updated_at"
CREATED = "created_at"
_IMPORT_ID = "import_id"
_FEW = 24
"""Letters and digits by which a text is known again that was cut or written another way."""

_PLAIN = {str, int, bool, type(None)}

Likeness = Literal["same", "similar", "other"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is to be sent, and what was there."""

    changes: dict[str, Any]
    before: Record
    learned: dict[str, str]
    """Digests of what the API made of values that it was sent and answered otherwise."""


class Comparison:
    """Compares rows of one resource with its records, in the API's own terms."""

    def __init__(self, resource: Resource, timestamps: Timestamps) -> None:
        """Read times as this API writes them."""
        self.resource = resource
        properties = resource.schema["properties"]
        self._kinds: dict[str, Kind] = {name: kind_of(of) for name, of in properties.items()}
        self._texts = {name: canonical_for(of, timestamps) for name, of in self._kinds.items()}
        self._custom_text = canonical_for(Kind.JSON, timestamps)
        """Values of custom fields compare as JSON of any shape: their types are unknown."""
        self._write_only = {name for name, of in properties.items() if of.get("writeOnly")}

    def text(self, field: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
        """Give the text that all values have in common that mean the same."""
        return self._texts[field](value)

    def asked(self, field: str, value: Any) -> int | str | None:  # noqa: ANN401 - JSON
        """Give the value as it is looked up; ``None`` where it says nothing."""
        text = self.text(field, value)
        return value if type(value) is int and text is not None else text

    def shown(self, field: str) -> bool:
        """Tell whether the API ever returns this field."""
        return field not in self._write_only

    def digests(self, body: Mapping[str, Any]) -> dict[str, str]:
        """Give what a record made of this body can be recognised by later."""
        return {
            name: self._mark(name, value)
            for name, value in body.items()
            if name != CUSTOM and self.shown(name)
        }

    def shown_for_likeness(self, sent: Iterable[str]) -> list[str]:
        """Name the fields by which ``likeness`` tells."""
        named = {*sent, CREATED, BOOKMARK} & self._kinds.keys()
        return sorted(filter(self.shown, named))

    def likeness(self, digests: Mapping[str, str], live: Record) -> Likeness:
        """Tell whether a record may have been made of the body with these digests.

        ``same`` where all that came agrees, and a text or the ``import_id`` among it if not all
        came. ``other`` only where one of these, or another record's id, speaks against it, none
        resembles, and nobody changed the record since it was created: what APIs do to values
        (round, cut, leave out) and people to records makes no other record of one. Else
        ``similar``.
        """
        came = {name: live[name] for name in digests.keys() & live.keys()}
        marks = {name: self._mark(name, value) for name, value in came.items()}
        agreeing = {name for name, mark in marks.items() if mark == digests[name]}
        is_told = any(map(self._is_telling, agreeing)) or agreeing == digests.keys()
        if agreeing and is_told and agreeing == marks.keys():
            return "same"
        speaking = {name for name in marks if self.text(name, came[name]) is not None}
        is_like = any(
            _rough(marks[name]) == _rough(digests[name])
            for name in speaking
            if self._is_telling(name)
        )
        is_against = any(
            self._is_telling(name) or self._kinds[name] is Kind.INTEGER
            for name in speaking - agreeing
        )
        return "other" if is_against and not is_like and self._is_as_created(live) else "similar"

    def difference(self, row: Row, live: Record, written: Written) -> Difference:
        """Give the fields of the row that the record does not have, and nothing else.

        What was sent before and of which the API made something else (it rounds, trims, ignores) is
        no difference for as long as both stay as they are. What is never returned cannot be
        compared, and is not sent.
        """
        result = Difference({}, {}, {})
        for field, value in row.fields.items():
            there = live.get(field)
            if _is_plainly_same(value, there) or not self.shown(field):
                continue
            wanted = self.text(field, value)
            if wanted == self.text(field, there):
                continue
            came = self._came(live, field)
            if written.sent.get(field) != digest(wanted):
                result.changes[field], result.before[field] = value, there
            elif written.came.get(field) != came:
                if self.is_own_write(live, written):
                    result.learned[field] = came
                else:
                    result.changes[field], result.before[field] = value, there
        custom = self._custom_difference(row, live)
        if custom:
            result.changes[CUSTOM] = custom_fields.written(custom)
            result.before[CUSTOM] = live.get(CUSTOM)
        return result

    def written(self, body: Mapping[str, Any], answer: Record) -> Written:
        """Give what is to be kept of a write, from its answer."""
        fields = [name for name in body if name != CUSTOM and self.shown(name)]
        return Written(
            {name: digest(self.text(name, body[name])) for name in fields},
            {name: self._came(answer, name) for name in fields},
            self._changed_at(answer),
            frozenset(fields),
        )

    def is_own_write(self, live: Record, written: Written) -> bool:
        """Tell whether nobody changed the record since it was written, as far as seconds tell."""
        return bool(written.changed_at) and written.changed_at == self._changed_at(live)

    def _changed_at(self, record: Record) -> str:
        text = self.text(BOOKMARK, record.get(BOOKMARK)) if BOOKMARK in self._kinds else None
        return digest(text) if text else ""

    def _came(self, live: Record, field: str) -> str:
        return digest(self.text(field, live[field])) if field in live else ABSENT

    def _mark(self, field: str, value: Any) -> str:  # noqa: ANN401 - JSON
        """Give a digest of the value, and one of what is left of it if a server tidies it up."""
        text = folded(self.text(field, value) or "")
        return f"{digest(text)} {digest(_tidied(text))}"

    def _is_as_created(self, live: Record) -> bool:
        """Tell whether it is certain that nobody changed the record since."""
        created, changed = (
            self.text(name, live.get(name)) if name in self._kinds else None
            for name in (CREATED, BOOKMARK)
        )
        return created is not None and created == changed

    def _is_telling(self, field: str) -> bool:
        return self._kinds[field] is Kind.STRING or field == _IMPORT_ID

    def _custom_difference(self, row: Row, live: Record) -> dict[int, Any]:
        if not row.custom_fields:
            return {}
        try:
            there = custom_fields.read(live.get(CUSTOM))
        except Misfit:
            reason = f"the custom fields of {self.resource.name} {live['id']} cannot be read"
            raise RowRefused(Reject("invalid", reason, CUSTOM)) from None
        return {
            number: value
            for number, value in row.custom_fields.items()
            if self._custom_text(value) != self._custom_text(there.get(number))
        }


def _tidied(text: str) -> str:
    """Give the first letters and digits, without their accents."""
    return "".join(filter(str.isalnum, normalize("NFKD", text)))[:_FEW]


def _rough(mark: str) -> str:
    return mark.partition(" ")[2]


def _is_plainly_same(value: object, there: object) -> bool:
    """Tell whether two values are one, which spares most fields of most rows their texts.

    Not so where types differ or are others, since ``1 == True`` and ``[1] == [True]``.
    """
    return type(value) is type(there) and type(value) in _PLAIN and value == there
