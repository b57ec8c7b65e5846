"""Words of errors: the API's own are kept, all others may be a record's."""

from __future__ import annotations

import re

from cirqll_client.resources import RESOURCES

MASK = "***"
_WORD = re.compile(r"[^\W\d_]\w*|\d+", re.ASCII)
_OTHER = re.compile(r"[^\x20-\x7e]+")
_OWN_WORDS = """
    a access after allowed already also always an and any api are argument as asc at attempts
    authentication authorization authorized bad badly be been beyond body by cannot characters
    client code column could count credentials data date dates deep depth desc direction does
    eager empty endpoint equal error errors exceed exceeds exist expired few field fields filter
    for forbidden format found given grant greater group has have header heavy id in includes
    input integer internal invalid invalid_client invalid_grant invalid_request invalid_scope is
    it json least length less limit list loaded loading long low malformed many match maximum may
    message method minimum missing model more most must near nested no not null number object of
    offset on one only operator or order outside page parameter parse permission please points
    positive provided query quote range read refresh refused relation relations request requests
    required resource results revoked right route scope scopes selected server service should
    show sort sorted string supported syntax text than that the there they this times to token
    too type unauthenticated unauthorized unavailable unexpected unique unknown
    unsupported_grant_type updated user valid value values was weigh weighs weight when which
    with without wrong you your
"""
"""Those of Laravel, Passport and the documentation; a name in a record is hardly one of them."""
_NAMES = frozenset(
    name
    for one in RESOURCES
    for name in (one.name, one.stream, *one.schema["properties"], *one.to_one, *one.to_many)
)
_PARTS = frozenset(part for name in _NAMES for part in name.split("_"))
"""Laravel writes the name of a field in its messages with spaces."""
_ASKED = frozenset({"near", "no_such_field", "sideways"})
"""What the mistakes that are made on purpose consist of."""
_KEPT = frozenset(_OWN_WORDS.split()) | _NAMES | _PARTS | _ASKED


def masked(words: str) -> str:
    """Keep the words that are surely not a record's, and show where others stood."""
    plain = _OTHER.sub(f" {MASK} ", words)
    return _WORD.sub(lambda found: found[0] if _is_kept(found[0]) else MASK, plain)


def _is_kept(word: str) -> bool:
    return word in _KEPT or (len(word) > 1 and word[:1].lower() + word[1:] in _KEPT)
