"""The definitions of an account's custom fields: what they are called, and what they hold."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cirqll_client import relations
from cirqll_client.ends import LEAST_MAXIMUM
from cirqll_client.errors import OF_ONE_THING, RequestRefused, ScopeMissing
from cirqll_client.kinds import Kind
from cirqll_client.query import IndexQuery, Order
from cirqll_client.relations import id_of
from cirqll_client.resources import RESOURCES
from cirqll_client.whole_relations import WholeRelation

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from cirqll_client.client import CirqllClient
    from cirqll_client.resources import Resource
    from cirqll_client.responses import Page, Record

SECONDS_BETWEEN_LOOKS = 60.0
OPTIONS = "options"

_KINDS = {
    Kind.STRING: "text string varchar input line textarea longtext multiline memo html richtext "
    "email phone telephone tel mobile url link website time color colour",
    Kind.NUMBER: "number numeric integer int decimal float double money currency price amount "
    "percentage percent",
    Kind.BOOLEAN: "checkbox boolean bool switch toggle yesno",
    Kind.DATE: "date",
    Kind.TIME: "datetime timestamp",
}
_ONE_OF = "select dropdown radio radiobutton radiobuttons option choice list enum singleselect"
_SOME_OF = "multiselect multiplechoice multichoice multipleselect checkboxes checkboxlist tags"
"""A guess: the list of types is not documented, and what each word means is told by it alone. Words
are compared without regard to case and signs. For any other the values tell. ``GET /field`` of an
account that has some will show the words."""

_WORDS = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_CHOICES = dict.fromkeys(_ONE_OF.split(), Kind.STRING) | dict.fromkeys(_SOME_OF.split(), Kind.ARRAY)
FIELD = next(one for one in RESOURCES if one.name == "field")

_NOT_READ = (
    "The definitions of custom fields are not read, so a custom field that has no column yet gets "
    "none: its values are kept in _undocumented."
)
_LACKS_SCOPE = (
    "The access token lacks the scope field.read.all: sign in again with it to have columns."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """What is known of one custom field."""

    id: int
    name: str
    """As people see it; it may change, be empty, or be another field's too."""
    model: str | None = None
    """The name of the resource that it belongs to, where that is told."""
    kind: Kind | None = None
    """What its values are; ``None`` if only they can tell."""
    labels: Mapping[int, str] = field(default_factory=dict)
    """Of what can be chosen, by the id of the option; empty where nothing is to be chosen.

    An option that came without an id has a number that is none, below 1: no value can say it."""

    def is_of(self, resource: Resource) -> bool:
        """Tell whether the records of this resource have it."""
        return self.model in {resource.name, resource.stream}


def definition_of(record: Record) -> FieldDefinition | None:
    """Read a record of the resource ``field``; ``None`` if it has no id."""
    number = id_of(record.get("id"))
    if number is None:
        return None
    name, model, labels = record.get("name"), record.get("model"), _labels(record.get(OPTIONS))
    word = re.sub(r"[^a-z]", "", str(record.get("type")).casefold())
    kind = _CHOICES.get(word) or _WORDS.get(word)
    if labels and kind is Kind.BOOLEAN:
        kind = Kind.ARRAY  # one box for each option
    is_choice = word not in _WORDS or kind is Kind.ARRAY
    return FieldDefinition(
        number,
        name if isinstance(name, str) else "",
        re.split(r"[\\/.]", model)[-1].casefold() if isinstance(model, str) else None,
        kind,
        labels if is_choice else {},
    )


class FieldDefinitions:
    """The definitions of one account, read when they are first needed. Threads may share it."""

    def __init__(
        self,
        client: CirqllClient,
        *,
        may_be_read: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is asked yet, and never where it is known that it may not be."""
        self._client = client
        self._may_be_read = may_be_read
        self._clock = clock
        self._options = WholeRelation(client, FIELD, OPTIONS)
        self._turn = threading.Lock()
        self._known: dict[int, FieldDefinition] = {}
        self._sought: set[int] = set()
        """Fields that a look was for: one that is not found then was deleted."""
        self._looked_at: float | None = None
        self._is_readable = True

    def known(self) -> Mapping[int, FieldDefinition]:
        """Give all definitions by id: one request for a page of them, the first time.

        None, with a warning, if the token may not read them. Raises ``CirqllError`` for what ends
        a run.
        """
        with self._turn:
            if self._looked_at is None:
                self._look_first()
            return self._known

    def including(self, fields: Collection[int]) -> Mapping[int, FieldDefinition]:
        """Give all definitions, after another look if one of these fields is new.

        At most one look a minute, and one for each field. Raises errors as ``known`` does.
        """
        known = self.known()
        with self._turn:
            new = set(fields) - self._known.keys() - self._sought
            waited = self._clock() - (self._looked_at or 0)
            if not new or not self._is_readable or waited < SECONDS_BETWEEN_LOOKS:
                return known
            self._sought |= new
            self._look()
            return self._known

    def _look_first(self) -> None:
        if self._may_be_read():
            self._look()
            return
        self._is_readable = False
        self._looked_at = self._clock()
        logger.info("%s %s", _NOT_READ, _LACKS_SCOPE)

    def _look(self) -> None:
        try:
            self._known = self._read_with_options()
        except OF_ONE_THING as error:
            self._is_readable = False
            lacks_scope = isinstance(error, ScopeMissing)
            logger.warning("%s %s", _NOT_READ, _LACKS_SCOPE if lacks_scope else error.sentence)
        self._looked_at = self._clock()

    def _read_with_options(self) -> dict[int, FieldDefinition]:
        try:
            return self._read((OPTIONS,))
        except RequestRefused as refusal:
            definitions = self._read(())
            logger.warning(
                "Cirqll refused to bring the options of custom fields along (%d), so values that "
                "were chosen stay as they come, perhaps as ids.",
                refusal.status,
            )
            return definitions

    def _read(self, relations: tuple[str, ...]) -> dict[int, FieldDefinition]:
        definitions: dict[int, FieldDefinition] = {}
        read = 0
        while True:
            query = IndexQuery(offset=read, order_by=(Order("id"),), relations=relations)
            page = self._client.index(FIELD, query)
            read += len(page)
            found = map(self._definition, page.rows.rows)
            before = len(definitions)
            definitions |= {one.id: one for one in found if one}
            if len(definitions) == before or self._is_last(page, read=read):
                return definitions

    def _is_last(self, page: Page, *, read: int) -> bool:
        """Tell whether these are all. Believed is what two say: the length, and limit or total.

        As everywhere (``ends``), a ``total`` that repeats the length of a full page ends nothing.
        """
        if page.total is None:
            return page.is_whole or len(page) < min(page.limit or 0, LEAST_MAXIMUM)
        is_short = page.limit is not None and len(page) < page.limit
        is_counted = self._client.is_total_proven and page.total > len(page)
        return read >= page.total and (is_short or is_counted)

    def _definition(self, row: Record) -> FieldDefinition | None:
        number, came = id_of(row.get("id")), relations.read(row.get(OPTIONS))
        if number is None or not came.may_lack_some:
            return definition_of(row)
        whole = self._options.of(number, at_least=came.at_least)
        return definition_of(row if whole is None else {**row, OPTIONS: whole})


def _labels(options: Any) -> dict[int, str]:  # noqa: ANN401 - JSON
    """Read options. A guess: an option has ``id``, and ``name`` or so; or it is a text alone."""
    labels: dict[int, str] = {}
    for key, entry in relations.read(options).entries:
        option = entry if isinstance(entry, dict) else {"name": entry}
        words = [option.get(name) for name in ("name", "label", "value", "title")]
        label = next((word for word in words if isinstance(word, str)), None)
        if label is not None:
            labels[id_of(option.get("id")) or id_of(key) or -len(labels)] = label
    return labels
