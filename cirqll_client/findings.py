"""What was found out about an account's API: facts with an end, kept in the store.

``cirqll doctor`` finds most of them. A fact holds for 30 days, since a server may be changed, and
is forgotten at once by whoever sees that it is wrong. All but one only say with which question to
begin, and every answer is checked as if nothing were known. That ``total`` is proven may end a
reading one question earlier, but never at a full page that alone says so (``ends``).

==================  ===============================================  ===============================
fact                its value                                        who acts on it
==================  ===============================================  ===============================
page_size_refused   a page size that the server refuses              the client asks for 100
page_maximum        rows in a page that was cut without a word       the client asks for no more
total_is_proven     ``total`` counts more than the page              whoever looks for an end
quoting             how a time is written in a filter                the client
honesty <resource>  what it does with filter and order               readings begin the right way
zones_proven_wrong  zones in which a record changed in the future    readings warn
show_envelope       Show answers bare, or within ``data``            nobody: both are read [likely]
field_values_shape  page, list or map                                nobody: each is read [unknown]
==================  ===============================================  ===============================
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from cirqll_client.query import Quoting

if TYPE_CHECKING:
    from cirqll_client.store import Store

HOLDS_SECONDS = 30 * 86_400.0
"""Then it is found out anew."""

Honesty = Literal["honoured", "ignored", "refused", "unknown"]
"""What a server does with a filter or an order; ``unknown`` where nothing proves it."""

PAGE_SIZE_REFUSED = "page_size_refused"
PAGE_MAXIMUM = "page_maximum"
TOTAL_IS_PROVEN = "total_is_proven"
QUOTING = "quoting"
ZONES_PROVEN_WRONG = "zones_proven_wrong"
SHOW_ENVELOPE = "show_envelope"
FIELD_VALUES_SHAPE = "field_values_shape"


@dataclass(frozen=True, slots=True)
class ResourceHonesty:
    """What a server does with the questions about one resource."""

    filter: Honesty = "unknown"
    """By the time of the last change."""
    order: Honesty = "unknown"
    """By the time of the last change."""
    id_order: Honesty = "unknown"

    @property
    def may_be_read_by_change(self) -> bool:
        """Tell whether nothing speaks against it; whether it can be, each page proves anew."""
        return all(map(_is_possible, (self.filter, self.order, self.id_order)))

    @property
    def may_be_read_by_id(self) -> bool:
        """Tell whether nothing speaks against it."""
        return _is_possible(self.id_order)


class Findings:
    """The facts about one account. What a store holds of another form counts as not known."""

    def __init__(self, store: Store, account: str) -> None:
        """Look in this store; ``account`` is the key by which it keeps what concerns an account."""
        self._store = store
        self._account = account

    @property
    def page_size_refused(self) -> int | None:
        """A page size that the server refuses."""
        return _count(self._known(PAGE_SIZE_REFUSED))

    @property
    def page_maximum(self) -> int | None:
        """How many rows a page holds at most, where the server does not tell."""
        return _count(self._known(PAGE_MAXIMUM))

    @property
    def is_total_proven(self) -> bool:
        """An answer told of more rows than it held."""
        return bool(self._known(TOTAL_IS_PROVEN))

    @property
    def quoting(self) -> Quoting:
        """How to write a time in a filter; as it is [likely] to be, where nobody knows."""
        known = self._known(QUOTING)
        return cast("Quoting", known) if known in get_args(Quoting) else "quoted"

    @property
    def zones_proven_wrong(self) -> frozenset[str]:
        """The zones that cannot be those of the API's times."""
        known = self._known(ZONES_PROVEN_WRONG)
        return frozenset(map(str, known)) if isinstance(known, list) else frozenset()

    def honesty(self, resource: str) -> ResourceHonesty:
        """Give what the server does with the questions about a resource, by its name."""
        known = self._known(_honesty_of(resource))
        told = known if isinstance(known, dict) else {}
        fields = ResourceHonesty.__dataclass_fields__
        good = {name: told[name] for name in fields if told.get(name) in get_args(Honesty)}
        return ResourceHonesty(**good)

    def learn(self, fact: str, value: Any) -> None:  # noqa: ANN401 - any JSON
        """Keep a fact, in place of what was known."""
        self._store.learn(self._account, fact, value)

    def learn_honesty(self, resource: str, honesty: ResourceHonesty) -> None:
        """Keep what the server does with the questions about a resource."""
        self.learn(_honesty_of(resource), asdict(honesty))

    def forget(self, fact: str) -> None:
        """Know nothing of it any more."""
        if self._known(fact) is not None:
            self.learn(fact, None)

    def forget_honesty(self, resource: str) -> None:
        """Know nothing any more of the questions about a resource."""
        self.forget(_honesty_of(resource))

    def _known(self, fact: str) -> Any:  # noqa: ANN401 - any JSON
        since = self._store.now() - HOLDS_SECONDS
        return self._store.learned(self._account, fact, not_before=since)


def _honesty_of(resource: str) -> str:
    return f"honesty {resource}"


def _is_possible(honesty: Honesty) -> bool:
    return honesty not in {"ignored", "refused"}


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None
