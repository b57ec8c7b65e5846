"""Names of columns: every loader takes them, and no two fields share one."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.kinds import Kind
from cirqll_client.learned_columns import LearnedColumn
from cirqll_client.naming import column_for, is_usable, may_be_called, namer
from tap_cirqll.stream import learned_property

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cirqll_client.learned_columns import Columns

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")

ODD = (
    *("", "_", "__", "a", "A", "é", "e", "É", "Größe!", "grosse", "größe", "GROSSE", "1st", "ﬁ"),
    *("_nonconforming", "_UNDOCUMENTED", "undocumented", "_sdc_batched_at", "sdc_batched_at"),
    *(
        "cf_branche",
        "CF_x",
        "field",
        "field_cf_x",
        "漢字",
        "😀",
        "\0",
        "\ud800",
        'a"b',
        "a;b",
        "a b",
    ),
    *("x" * 63, "X" * 63, "x" * 64, "x" * 65, "é" * 63, "_sdc_" + "x" * 60, "a\n", "\n"),
)
fields = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=70),
    st.text("aAbB_-é1", max_size=4),
    st.text(string.ascii_letters + "_", min_size=60, max_size=70),
    st.characters(codec=None, categories=["Cs"]),
)


def named(some: Iterable[str], *, others: Iterable[str] = (), prefix: str = "") -> dict[str, str]:
    """The columns of fields that come one after the other."""
    taken = {name.lower() for name in others}
    columns: dict[str, str] = {}
    for field in some:
        columns[field] = column_for(field, taken=taken, prefix=prefix)
        taken.add(columns[field].lower())
    return columns


@given(st.lists(fields, unique=True), st.sets(fields), st.sampled_from(["", "cf_"]))
def test_no_two_columns_have_the_same_name(some: list[str], others: set[str], prefix: str) -> None:
    names = list(named(some, others=others, prefix=prefix).values())

    in_use = [name.lower() for name in names] + list({name.lower() for name in others})
    assert len(set(in_use)) == len(in_use)


@given(st.lists(fields, unique=True), st.sampled_from(["", "cf_"]))
def test_every_name_is_plain_short_and_of_its_own_kind(some: list[str], prefix: str) -> None:
    for name in named(some, prefix=prefix).values():
        assert PLAIN.fullmatch(name), name
        assert name.lower() not in {"_nonconforming", "_undocumented"}
        assert not name.lower().startswith("_sdc_")


@given(fields, st.sets(fields))
def test_a_field_has_the_same_name_wherever_it_comes(field: str, others: set[str]) -> None:
    alone = column_for(field, taken=set())
    beside = [other for other in others - {field} if column_for(other, taken=set()) != alone]

    taken = {name.lower() for name in named(beside).values()} - {alone.lower()}

    assert column_for(field, taken=taken) == alone


@given(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,62}", fullmatch=True))
def test_a_plain_name_stays_as_it_is(field: str) -> None:
    is_ours = field.lower().startswith(("_sdc_", "cf_")) or field.lower() in {
        "_nonconforming",
        "_undocumented",
    }

    assert (column_for(field, taken=set()) == field) is not is_ours
    assert is_usable(field) is not is_ours


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("Größe!", "grosse"),
        ("漢字", "field"),
        ("", "field"),
        ("Fax nummer", "fax_nummer"),
        ("fax--nummer ", "fax_nummer"),
        ("Façade (m²)", "facade_m2"),
        ("1e_contact", "field_1e_contact"),
        ("_sdc_deleted_at", "sdc_deleted_at"),
        ("cf_branche", "field_cf_branche"),
        ("_undocumented", "undocumented"),
        ("ﬁrma", "firma"),
    ],
)
def test_another_name_is_readable(field: str, name: str) -> None:
    assert column_for(field, taken=set()) == name


def test_what_another_column_is_called_is_not_taken_twice() -> None:
    columns = named(["Naam", "naam", "NAAM", "Nááḿ"])

    assert columns["Naam"] == "Naam"
    assert all(re.fullmatch(r"naam_[0-9a-f]{8}", columns[one]) for one in ("naam", "NAAM", "Nááḿ"))
    assert len(set(columns.values())) == 4


def test_long_names_are_cut_where_they_still_differ() -> None:
    columns = named(["x" * 63, "x" * 64, "x" * 65])

    assert columns["x" * 63] == "x" * 63
    assert {len(name) for name in columns.values()} == {63}
    assert len(set(columns.values())) == 3


@given(fields)
def test_a_prefix_is_before_every_name(field: str) -> None:
    assert column_for(field, taken=set(), prefix="cf_").startswith("cf_")
    assert not column_for(field, taken=set()).lower().startswith("cf_")


def test_new_columns_are_named_beside_those_of_the_stream_and_those_that_were_learned() -> None:
    learned: Columns = {"Mail!": LearnedColumn("Mail!", "mail", Kind.STRING)}

    name_of = namer({"Email", "phone"})

    assert name_of("email", learned).startswith("email_")
    assert name_of("MAIL", learned).startswith("mail_")
    assert name_of("fax", learned) == "fax"


@given(fields)
def test_a_catalog_tells_the_name_in_the_api(field: str) -> None:
    name = column_for(field, taken=set())

    schema = learned_property(field, name, Kind.STRING)

    assert schema.get("title", name) == field


@given(fields)
def test_a_column_tells_whose_it_is_by_its_title(field: str) -> None:
    for taken in ([], [column_for(field, taken=[]).lower()]):
        name = column_for(field, taken=taken)
        assert name == field or may_be_called(name, field)


def test_a_title_for_people_is_not_taken_for_a_field() -> None:
    assert not may_be_called("lead_score", "How warm it is")
