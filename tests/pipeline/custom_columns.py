"""The custom fields of the sandbox's company: the column that each must have, and its cells.

Names are told one by one, so that a field which is renamed, as colleagues do, keeps its column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox

    Row = dict[str, Any]

PREFIX = "cf_"
_COLUMNS = {
    1: "aantal_medewerkers",
    2: "branche",
    3: "klant_sinds",
    4: "voorkeur_voor_contact",
    5: "verjaardag",
    6: "reistijd_minuten",
    7: "geschatte_uren",
    8: "concurrent",
    9: "soort",
    10: "projectnummer",
    11: "meerwerk",
    12: "opzegtermijn",
    13: "stilzwijgend_verlengen",
    14: "branche_7c4e8905",
    15: "branche_e1acbd30",
    16: "toelichting",
    17: "jaaromzet_x_1_000",
    18: "laatste_bezoek",
    19: "interesses",
    20: "webshop",
    21: "e_mail_administratie",
    22: "telefoon_s_avonds",
    23: "vaste_verkoper",
    24: "nieuwsbrief",
    25: "taal",
    26: "hobby_s",
    27: "linkedin",
    28: "hoe_heeft_deze_contactpersoon_ons_voor_het_eerst_le_d293d9ae",
    29: "vergaderruimte",
    30: "kilometers",
    31: "werkelijk_begonnen",
    32: "spoed_ja_100",
    33: "controleur",
    34: "onderdelen",
    35: "verwachte_marge",
    36: "beslisdatum",
    37: "soort_b0649401",
    38: "startdocument",
    39: "oplevering",
    40: "werkzaamheden",
    41: "indexering",
    42: "e_mail_facturen",
    43: "getekend_op",
    44: "grosse",
}
"""By the id of the field."""
_TYPES = {
    **dict.fromkeys(("text", "textarea", "select", "url", "email", "phone"), "text"),
    **dict.fromkeys(("number", "decimal"), "numeric"),
    "user": "numeric",  # no type that anybody knows: its values, which are ids, tell
    "checkbox": "boolean",
    "date": "date",
    "datetime": "timestamp without time zone",
    "multiselect": "jsonb",
}
"""What a column is in PostgreSQL, by the type of its field."""


def custom_types(sandbox: Sandbox, name: str) -> dict[str, str]:
    """Give the type of each column that a resource must have for its custom fields."""
    return {_column(field["id"]): _TYPES[field["type"]] for field in _fields(sandbox, name)}


def with_custom_fields(sandbox: Sandbox, name: str) -> list[Row]:
    """Give the rows of a resource, each with the values of its custom fields by column."""
    fields = {field["id"] for field in _fields(sandbox, name)}
    values: dict[int, Row] = {}
    for one in sandbox.rows("field_value").all():
        if one["owner_type"] == name and one["field_id"] in fields:
            values.setdefault(one["owner_id"], {})[_column(one["field_id"])] = one["value"]
    return [{**row, **values.get(row["id"], {})} for row in sandbox.rows(name).all()]


def _fields(sandbox: Sandbox, name: str) -> list[Row]:
    return [field for field in sandbox.rows("field").all() if field.get("model") == name]


def _column(field: int) -> str:
    return PREFIX + _COLUMNS[field]
