"""An Index answers with the documented envelope, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_sandbox.changes import changed
from cirqll_sandbox.resources import ENDPOINTS

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client


@pytest.fixture
def many(sandbox: Sandbox) -> Sandbox:
    """250 customers."""
    sandbox.rows("customer").insert_many([{"name": f"K{n}"} for n in range(250)])
    return sandbox


def test_the_envelope_holds_data_limit_total_and_offset_in_this_order(api: Client) -> None:
    answer = api.get("/api/customer").json()
    assert list(answer.items()) == [("data", []), ("limit", 100), ("total", 0), ("offset", 0)]


def test_every_one_of_the_sixteen_resources_has_an_index(company_api: Client) -> None:
    totals = {name: company_api.get(f"/api/{name}", limit=1).json()["total"] for name in ENDPOINTS}
    assert len(totals) == 16
    assert all(totals.values())


@pytest.mark.usefixtures("many")
def test_limit_and_offset_cut_the_rows(api: Client) -> None:
    assert len(api.ids("/api/customer")) == 100
    assert api.ids("/api/customer", limit=3, offset=248) == [249, 250]
    assert api.ids("/api/customer", offset=1000) == []


@pytest.mark.parametrize("mode", ["cap", "cap_silently", "refuse", "obey"])
def test_a_page_beyond_the_maximum_is_capped_refused_or_obeyed(
    many: Sandbox, api: Client, mode: Any
) -> None:
    many.behaviour = replace(many.behaviour, page_maximum=120, page_maximum_mode=mode)

    answer = api.get("/api/customer", limit=200)

    seen = (answer.status_code, len(answer.json().get("data", [])), answer.json().get("limit"))
    expected = {
        "cap": (200, 120, 120), "cap_silently": (200, 120, 200),
        "refuse": (422, 0, None), "obey": (200, 200, 200),
    }  # fmt: skip
    assert seen == expected[mode]
    assert len(api.ids("/api/customer", limit=120)) == 120


@pytest.mark.parametrize(
    "parameters", [{"limit": 0}, {"limit": "x"}, {"limit": -1}, {"offset": "x"}]
)
def test_a_limit_or_offset_that_is_no_number_is_refused(
    api: Client, parameters: dict[str, object]
) -> None:
    answer = api.get("/api/customer", **parameters)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == list(parameters)


@pytest.mark.parametrize(
    ("change", "limit", "total"),
    [
        ({}, 10, 250),
        ({"limit_echo": "wrong"}, 17, 250),
        ({"limit_echo": "missing"}, None, 250),
        ({"total_echo": "missing"}, 10, None),
        ({"total_echo": "lying"}, 10, 10),
        ({"total_off_by": 3}, 10, 253),
        ({"total_off_by": -1}, 10, 249),
        ({"total_off_by": -251}, 10, 0),
        ({"total_off_by": 3, "total_echo": "lying"}, 10, 10),
    ],
)
def test_the_envelope_can_lie(
    many: Sandbox, api: Client, change: dict[str, Any], limit: int | None, total: int | None
) -> None:
    many.behaviour = replace(many.behaviour, **change)
    answer = api.get("/api/customer", limit=10).json()
    assert (answer.get("limit"), answer.get("total")) == (limit, total)


@pytest.mark.parametrize("what", ["filter", "order", "show"])
def test_a_parameter_can_be_ignored_or_refused(many: Sandbox, api: Client, what: Any) -> None:
    asked = {
        "filter": {"filter": "id:gt:240"}, "order": {"order_by": "id:desc"},
        "show": {"show": "name"},
    }[what]  # fmt: skip
    honoured = api.rows("/api/customer", **asked)

    many.behaviour = changed(many.behaviour, **{f"{what}_mode": "ignore"})
    assert api.rows("/api/customer", **asked) == api.rows("/api/customer") != honoured

    many.behaviour = changed(many.behaviour, **{f"{what}_mode": "refuse"})
    assert api.get("/api/customer", **asked).status_code == 400
    assert api.get("/api/customer").status_code == 200
