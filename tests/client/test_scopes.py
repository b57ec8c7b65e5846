"""Which scopes to ask for, and what those that were granted allow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.errors import SettingInvalid
from cirqll_client.resources import RESOURCES
from cirqll_client.scopes import (
    catalog_scopes,
    is_readable,
    offered,
    read_scopes,
    read_write_scopes,
    withheld,
)

CUSTOMER = next(one for one in RESOURCES if one.name == "customer")
CONTRACT = next(one for one in RESOURCES if one.name == "contract")


def entry(stream: Any, *, metadata: Any = None, **more: Any) -> dict[str, Any]:
    chosen = {"selected": True} if metadata is None else metadata
    root: dict[str, Any] = {"breadcrumb": [], "metadata": chosen}
    field = {"breadcrumb": ["properties", "id"], "metadata": {"selected": False}}
    return {"tap_stream_id": stream, "metadata": [field, root], **more}


def test_reading_asks_for_each_resource_and_for_who_signs_in() -> None:
    assert read_scopes([CUSTOMER]) == ("customer.read.all", "user.read.all")
    assert len(read_scopes()) == 16
    assert all(scope.endswith(".read.all") for scope in read_scopes())


def test_writing_asks_for_what_each_resource_can_do() -> None:
    scopes = read_write_scopes()
    assert set(read_scopes()) < set(scopes)
    assert {"customer.create.all", "customer.update.all", "customer.delete.all"} <= set(scopes)
    assert len(scopes) == len(set(scopes))


def test_a_catalog_asks_for_the_streams_that_it_selects() -> None:
    catalog = {"streams": [
        entry("contracts"),
        entry("customers", metadata={"selected": False}),
        entry("contacts", metadata={}),
        entry("tasks", metadata={"selected-by-default": True}),
        entry("chances", metadata={"selected": None, "selected-by-default": True}),
        entry("notes", metadata={"selected": False, "selected-by-default": True}),
        {"stream": "roles", "selected": True},
        {"stream": "fields"},
        entry("of_another_tap"),
    ]}  # fmt: skip
    assert catalog_scopes(catalog) == (
        "chance.read.all", "contract.read.all", "role.read.all", "task.read.all", "user.read.all",
    )  # fmt: skip


@pytest.mark.parametrize(
    "catalog",
    [
        None, [], "streams", 5, {}, {"streams": {}}, {"streams": [None, 5, []]},
        {"streams": [entry("of_another_tap")]}, {"streams": [entry(["customers"])]},
        {"streams": [entry("customers", metadata=5)]},
        {"streams": [{"tap_stream_id": "customers", "metadata": {"selected": True}}]},
        {"streams": [{"tap_stream_id": "customers", "metadata": [5, {"breadcrumb": []}]}]},
    ],
    ids=lambda catalog: repr(catalog)[:80],
)  # fmt: skip
def test_what_selects_nothing_is_no_catalog_to_sign_in_for(catalog: Any) -> None:
    with pytest.raises(SettingInvalid) as caught:
        catalog_scopes(catalog)
    assert caught.value.sentence == (
        "The catalog selects no stream of tap-cirqll, so there is no scope to ask for."
    )


def test_only_scopes_that_the_server_has_are_asked_for() -> None:
    assert offered(iter(["b", "a", "c"]), iter(["a", "b"])) == ("b", "a")
    assert offered(["a"], ["x"]) == ("a",)
    assert offered(["a"], []) == ("a",)


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        (None, ()),
        ([], ()),
        (["customer.read.all"], ("user.read.all",)),
        (["customer.read.all", "user.read.all"], ()),
        (["customer.read.all", "note.read.all"], ("user.read.all",)),
        (["customer.read.all", "*"], ()),
        (["accounting"], ()),
    ],
    ids=repr,
)
def test_what_was_withheld_is_said_where_it_is_certain(
    granted: list[str] | None, missing: tuple[str, ...]
) -> None:
    assert withheld(["customer.read.all", "user.read.all"], granted) == missing


@pytest.mark.parametrize(
    ("scopes", "is_it"),
    [
        (None, True),
        ([], True),
        (["customer.read.all"], True),
        (["customer.read.own", "user.read.all"], True),
        (["user.read.all"], False),
        (["customer.create.all", "customer.delete.all"], False),
        (["user.read.all", "*"], True),
        (["user.read.all", "accounting"], True),
        (["user.read.all", "address.read.all"], True),
    ],
    ids=repr,
)
def test_a_resource_counts_as_unreadable_only_where_it_is_certain(
    scopes: list[str] | None, *, is_it: bool
) -> None:
    assert is_readable(CUSTOMER, None if scopes is None else frozenset(scopes)) is is_it


@given(st.sets(st.sampled_from(read_write_scopes())))
def test_what_may_be_read_follows_from_the_scopes_that_were_asked_for(scopes: set[str]) -> None:
    expected = not scopes or "contract.read.all" in scopes
    assert is_readable(CONTRACT, frozenset(scopes)) is expected


@given(
    catalog=st.recursive(
        st.none() | st.booleans() | st.integers() | st.sampled_from(["customers", "x"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["streams", "metadata", "breadcrumb", "selected", "tap_stream_id"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_a_catalog_of_any_shape_is_read_or_refused(catalog: Any) -> None:
    try:
        assert catalog_scopes(catalog) == ("customer.read.all", "user.read.all")
    except SettingInvalid as error:
        assert "no stream" in error.sentence  # noqa: PT017 - both ways are right
