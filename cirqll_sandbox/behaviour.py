"""How the sandbox behaves where Cirqll's documentation is silent, and how it misbehaves on request.

This is the one place for guesses. Each option whose default is not documented says so: *likely*
follows from Laravel or from the documentation's patterns, *guess* is only a proposal. When a real
account shows a default to be wrong, correct it here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

PageMaximumMode = Literal["cap", "cap_silently", "refuse", "obey"]
Honesty = Literal["honour", "ignore", "refuse"]
Strictness = Literal["refuse", "ignore"]
LoopbackRedirects = Literal["any_port", "any", "registered"]
RefreshRefusal = Literal[
    "400 invalid_grant", "401 invalid_grant", "400 invalid_request", "401 invalid_request"
]

_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """One immutable set of options; change it with `dataclasses.replace`."""

    # Paging
    default_limit: int = 100
    """Documented."""
    page_maximum: int = 1000
    """Guess: the look-alike API of vPlan allows 1000."""
    page_maximum_mode: PageMaximumMode = "cap"
    """Guess. `cap` echoes the limit in force, `cap_silently` the one that was asked for, `refuse`
    answers `page_refusal_status`, `obey` knows no maximum."""
    page_refusal_status: int = 422
    """Likely (Laravel's validation). For a limit or offset that is no number, too."""
    limit_echo: Literal["true", "wrong", "missing"] = "true"
    """Documented as true. `wrong` tells a limit that is not in force."""
    total_echo: Literal["true", "lying", "missing"] = "true"
    """Likely: the number of all records that match. `lying` tells the number in the page."""
    total_off_by: int = 0
    """How many too many a true `total` tells, or too few; it is never below 0."""

    # Filter, order, show
    filter_mode: Honesty = "honour"
    order_mode: Honesty = "honour"
    show_mode: Honesty = "honour"
    unknown_filter_field: Strictness = "refuse"
    """Unknown in the documentation. `ignore` takes the condition as always true."""
    unknown_order_field: Strictness = "refuse"
    """Documented. `ignore` orders by what is left."""
    unfilterable_fields: tuple[str, ...] = ()
    unorderable_fields: tuple[str, ...] = ()
    """Likely none: a column such as `updated_at` can be filtered and ordered on. The fields named
    here, as `updated_at` or for one resource as `customer.updated_at`, are treated as unknown."""
    unknown_show_field: Strictness = "refuse"
    """Unknown in the documentation."""
    unknown_with_relation: Strictness = "refuse"
    """Likely (Laravel)."""
    quotes: Literal["understood", "literal"] = "understood"
    """Likely. `literal` takes quotes as part of the value, which then runs up to the next `,and,`,
    `,or,` or closing parenthesis."""
    quote_escape: Literal["none", "backslash", "doubled"] = "none"
    """Unknown in the documentation: with `none` a value cannot hold a quote."""
    bare_special_characters: Literal["refuse", "accept"] = "refuse"
    """Likely: a value with `:` or a space needs quotes. `accept` takes it without."""
    semicolon_in_quotes: Literal["separates", "belongs"] = "separates"
    """Unknown in the documentation: whether quotes protect a semicolon in the values of `in`."""
    ties: Literal["by_id", "shuffled"] = "by_id"
    """Guess: rows that `order_by` does not tell apart come by id. MySQL promises nothing:
    `shuffled`."""
    text_comparison: Literal["mysql", "exact"] = "mysql"
    """Likely (Laravel's collation): texts are equal without regard to case, accents and blanks at
    their end. `like` and its kin never regard case: that is documented."""
    archived_in_index: Literal["shown", "hidden"] = "shown"
    """Unknown in the documentation. `hidden` leaves archived rows out of an Index, unless its
    filter speaks of `archived_at`; Show still gives them."""

    # Which records there are, for whom. All of these are by resource: `{"customer": (5, 6)}`
    skipped_rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    """Likely none. Ids of records that an Index counts, in `total`, `limit` and `offset`, and does
    not give; Show does."""
    unlisted_rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    """Likely none. Ids of records that an Index neither counts nor gives; Show does."""
    repeated_rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    """Likely none. Ids of records that an Index gives twice, once more right behind themselves, as
    a join without `distinct` does: `limit` and `offset` see both, `total` counts one."""
    reach: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    """Unknown in the documentation: another reach than `all`. Ids of users: no records are there
    but those whose `user_id` is one of these, neither for an Index, Show or write nor as a
    relation."""

    # Requests
    url_maximum: int | None = 8170
    """Likely: nginx has 8 kB for a request line. Characters of path and query of a request to the
    API; a longer one is answered by a page in HTML, and no budget pays for it."""
    url_refusal_status: Literal[414, 400] = 414
    """Likely (nginx)."""

    me_path: Literal["/auth/me", "/user/me", "both", "nowhere"] = "/auth/me"
    """Documented, but another page calls it `/user/me`. `nowhere` answers 404 to both."""

    # Relations
    field_values_shape: Literal["page", "list", "map"] = "page"
    """Unknown in the documentation, `page` being the most probable."""
    field_value_types: Literal["typed", "text"] = "typed"
    """Unknown in the documentation. `text` gives every value as a column of texts would hold it:
    `"12"`, `"1"` for true, a list as its JSON."""
    option_values: Literal["name", "id"] = "name"
    """Unknown in the documentation: what the value of a field with options is, for each of the
    chosen ones."""
    field_values_rest: Literal["show", "index", "nowhere"] = "show"
    """Guess: where the values beyond `relation_page` are. A Show with `with=field_values` gives all
    of them; or they have an Index of their own, `GET /field_value?filter=(customer_id:eq:5)`, which
    needs the scope `field.read.all`; or they cannot be had."""
    refused_relations: tuple[str, ...] = ()
    """Likely none. Relations that are answered 400 when they are asked for by `with`: `contacts`
    or, for one resource, `customer.contacts`."""
    relation_page: int = 50
    """Documented."""
    eager_loading_maximum: int = 16
    """Documented."""
    show_counts_as_with: bool = True
    """Guess: a relation that `show` loads weighs as much as one that `with` loads."""
    relations_need_scopes: bool = False
    """Unknown in the documentation: whether `with=contacts` needs `contact.read.all`."""

    # Answers to single records and writes
    wrap_single: bool = False
    """Documented for Update, likely for Show and Create: the bare object, no `data` around it."""
    create_status: int = 201
    """Likely: 200 or 201."""
    delete_status: int = 204
    """Likely: 200 or 204."""
    validation_status: int = 422
    """Likely (Laravel); 400 is possible."""
    unknown_write_field: Literal["ignore", "refuse", "store"] = "ignore"
    """Likely (Laravel): a field that is no column of the table is left out without a word."""
    touch_unchanged: bool = True
    """Guess: an Update that changes nothing moves `updated_at` too. Laravel's `save` would not."""
    hidden_fields: tuple[str, ...] = ()
    """Unknown in the documentation: fields that are stored, but that no answer shows. Named as
    `phone` or, for one resource, `customer.phone`."""

    # What becomes of the values that are written
    trims_texts: bool = True
    """Likely (Laravel): blanks around a text are left out, but for a password's."""
    empty_texts_become_null: bool = True
    """Likely (Laravel)."""
    ignored_write_fields: tuple[str, ...] = ()
    """Unknown in the documentation: fields that a write may have, valid or not, and that are not
    stored. Named as in `hidden_fields`."""
    text_limit_mode: Literal["refuse", "cut"] = "refuse"
    """Likely: a text that is too long is not valid. MySQL would `cut` it, if nobody looked."""
    price_places: int | None = None
    """Guess: a price is stored with all its digits. A DECIMAL of MySQL's rounds to so many
    decimals, halves away from zero."""
    normalises_email: bool = False
    """Guess. Otherwise an address is stored in lower case."""
    normalises_phone: bool = False
    """Guess. Otherwise `phone` and `mobile` are stored without blanks."""
    unique_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    """Unknown in the documentation: fields, by resource, whose value no two records may share, such
    as `{"customer": ("import_id",)}`."""

    # Records that cannot be changed, or whose parent goes
    forbidden_rows: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    """Unknown in the documentation: ids, by resource, of records that the user may read, while an
    Update or Delete is answered 403: `{"customer": (5,)}`."""
    on_delete_of_parent: Literal["keep", "null", "refuse"] = "keep"
    """Unknown in the documentation: what a Delete does to `customer_id` and the like in the records
    that point to the deleted one. With `refuse` it is not deleted."""
    delete_refusal_status: Literal[500, 409] = 500
    """Likely, if a foreign key refuses: the exception of the database is caught by nobody."""

    # Rate limit
    rate_limit: int = 60
    """Documented: requests in one window. 0 means no limit."""
    rate_window_seconds: float = 60
    """Likely: starts at the first request and ends 60 seconds later."""
    rate_limit_per: Literal["everyone", "token"] = "everyone"
    """Unknown in the documentation: what "each client" means."""
    retry_after: bool = True
    """Likely: `Retry-After` on a 429 (Laravel sends it)."""
    rate_headers: bool = True
    """Documented: `X-RateLimit-Limit` and `X-RateLimit-Remaining` on every answer."""
    rate_limit_told: int | None = None
    """The limit that the header tells, when it differs from the one in force."""
    foreign_requests_per_second: float = 0
    """Other programs that eat from the same budget."""

    # Time
    timezone: str = "UTC"
    """Unknown in the documentation: UTC or Europe/Amsterdam."""
    date_header: bool = True
    date_offset_seconds: float = 0
    """How far the `Date` header is off."""

    # Life
    latency_seconds: float = 0
    edits_per_second: float = 0
    """Rows of the company that somebody changes while the sandbox runs."""
    edits_per_request: int = 0
    """Rows of the resource being read that somebody changes before each Index is answered."""

    # Signing in by OAuth
    loopback_redirects: LoopbackRedirects = "any_port"
    """Guess, after RFC 8252: a redirect URI on loopback may have any port. `any` lets it have any
    path too; with `registered` it is exactly one of the client's, as every other redirect URI."""
    code_seconds: float = 600
    """Guess, after Luca and RFC 6749."""
    reused_code_revokes: bool = True
    """Guess, after RFC 6749: a code used twice ends the tokens that it gave."""
    pkce: Literal["honoured", "ignored", "refused"] = "honoured"
    """Likely (Passport). `refused` answers invalid_request to a code_challenge."""
    broad_scopes: tuple[str, ...] = ()
    """Scopes beyond the documented ones, each of which permits everything."""
    withheld_scopes: tuple[str, ...] = ()
    """Unknown in the documentation: scopes that the user cannot give, though they are asked for."""
    scope_told_in_redirect: bool = False
    """Likely (Passport): the redirect does not tell the scopes that were given."""
    scopes_list_needs: Literal["nothing", "token"] = "nothing"
    """Guess: `GET /oauth/scopes` may be read by anybody."""

    # What the token URL gives
    access_token_seconds: float = 30 * _DAY
    """Documented."""
    refresh_token_seconds: float | None = 90 * _DAY
    """Documented as 3 months. `None` means that they do not expire."""
    access_tokens: Literal["jwt", "opaque"] = "jwt"
    """Likely (Passport)."""
    refresh_rotates: bool = True
    """Likely (Passport): a refresh token is good for one refresh. Otherwise it comes back."""
    refresh_revokes_access_token: bool = True
    """Likely (Passport): a refresh ends the old access token at once."""
    reused_refresh_token_revokes: bool = False
    """Likely (Passport): a refresh token used twice is refused, and that is all."""
    refresh_refusal: RefreshRefusal = "400 invalid_grant"
    """Likely one of these."""
    redirect_uri_in_token_request: Literal["required", "ignored", "refused"] = "required"  # noqa: S105 - no password
    """Likely (Passport): the same as in the authorize request."""
    token_answer_form: Literal["json", "form"] = "json"  # noqa: S105 - no password
    """Likely."""
    token_type_word: Literal["Bearer", "bearer"] = "Bearer"  # noqa: S105 - no password
    """Likely (Passport)."""
    expires_in_told: Literal["number", "text", "missing"] = "number"
    """Likely (Passport)."""
    scope_told_in_token: bool = False
    """Likely (Passport): the answer does not tell the scopes, not even when fewer were given."""
    token_answer_lacks: tuple[str, ...] = ()
    """Fields that the answer does not hold, such as `refresh_token`."""
    oauth_counts: bool = False
    """Guess: requests to /oauth do not count against the rate limit of the API."""
