"""The admin API does over HTTP what tests do in Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cirqll_sandbox import Behaviour, Sandbox
from cirqll_sandbox.startup import welcome

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client


def test_rows_can_be_inserted_listed_changed_and_deleted(sandbox: Sandbox, api: Client) -> None:
    rows = "/_sandbox/rows/customer"
    assert api.send("POST", rows, json={"name": "a"}).json()["id"] == 1
    assert api.send("POST", rows, json=[{"name": "b"}, {"id": 9}]).json() == {"ids": [2, 9]}
    assert api.send("PATCH", f"{rows}/2", json={"name": "c", "new": 1}).json()["new"] == 1
    assert api.send("DELETE", f"{rows}/1").status_code == 200
    assert api.send("GET", f"{rows}/9").json() == sandbox.rows("customer").get(9)
    assert api.send("GET", rows).json() == {"data": sandbox.rows("customer").all()}
    assert api.send("DELETE", rows).status_code == 200
    assert len(sandbox.rows("customer")) == 0


def test_an_id_can_be_taken_only_once(api: Client) -> None:
    for status in (200, 400):
        answer = api.send("POST", "/_sandbox/rows/user", json={"id": 7})
        assert answer.status_code == status
    assert answer.json() == {"message": "There is a user 7 already."}


def test_many_rows_are_inserted_all_or_none(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="already"):
        sandbox.rows("user").insert_many([{"id": 7}, {"id": 7}])
    assert sandbox.rows("user").all() == []
    assert len(sandbox.rows("user")) == 0


def test_it_tells_the_token_and_how_many_rows_there_are(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("user").insert(name="a")
    summary = api.get("/_sandbox/").json()
    assert summary["access_token"] == sandbox.access_token
    assert summary["rows"]["user"] == 1
    assert len(summary["rows"]) == 16


def test_behaviour_can_be_read_and_changed(sandbox: Sandbox, api: Client) -> None:
    changed = api.send("PATCH", "/_sandbox/behaviour", json={"page_maximum": 5}).json()
    assert changed == api.get("/_sandbox/behaviour").json()
    assert sandbox.behaviour == Behaviour(rate_limit=0, page_maximum=5)


def test_faults_can_be_added_listed_and_cleared(sandbox: Sandbox, api: Client) -> None:
    rule = {"kind": "503", "probability": 1, "at": [1], "times": 2, "path": "/api/user"}
    first = api.send("POST", "/_sandbox/faults", json=rule).json()
    api.send("POST", "/_sandbox/faults", json={"kind": "slow", "seconds": 0.1, "method": "PUT"})
    assert api.get("/api/user").status_code == 503

    listed = api.get("/_sandbox/faults").json()
    assert [(f["kind"], f["happened"]) for f in listed["data"]] == [("503", 1), ("slow", 0)]
    assert "cut-middle" in listed["kinds"]
    api.send("DELETE", f"/_sandbox/faults/{first['id']}")
    assert [fault.kind for fault in sandbox.faults.all()] == ["slow"]
    api.send("DELETE", "/_sandbox/faults")
    assert sandbox.faults.all() == ()


def test_requests_can_be_listed_counted_and_forgotten(sandbox: Sandbox, api: Client) -> None:
    api.get("/api/user", limit=1)
    (record,) = api.get("/_sandbox/requests").json()["data"]
    assert (record["path"], record["status"]) == ("/api/user", 200)
    assert api.get("/_sandbox/requests/most", seconds=1).json() == {"requests": 1}
    api.send("DELETE", "/_sandbox/requests")
    assert sandbox.requests == ()


def test_the_clock_can_be_set_and_moved(sandbox: Sandbox, api: Client) -> None:
    api.send("PUT", "/_sandbox/clock", json={"now": "2025-01-01T00:00:00", "running": False})
    moved = api.send("POST", "/_sandbox/clock/move", json={"seconds": 90}).json()
    assert moved == {"now": "2025-01-01T00:01:30+00:00"} == api.get("/_sandbox/clock").json()
    assert sandbox.rows("user").insert()["updated_at"] == "2025-01-01 00:01:30"


def test_somebody_can_change_rows_and_eat_the_budget(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("note").insert_many([{}, {}])
    edits = {"resource": "note", "rows": 9}
    assert sorted(api.send("POST", "/_sandbox/edits", json=edits).json()["ids"]) == [1, 2]
    api.send("PATCH", "/_sandbox/behaviour", json={"rate_limit": 10})
    api.send("POST", "/_sandbox/foreign", json={"requests": 10})
    assert api.get("/api/note").status_code == 429


def test_tokens_can_be_granted_and_revoked(api: Client) -> None:
    body = {"token": "second-token-not-a-secret", "scopes": ["user.read.all"]}
    api.send("POST", "/_sandbox/tokens", json=body)
    headers = {"Authorization": "Bearer second-token-not-a-secret"}
    assert api.send("GET", "/api/user", headers=headers).status_code == 200
    assert api.send("GET", "/api/role", headers=headers).status_code == 403
    api.send("DELETE", "/_sandbox/tokens/second-token-not-a-secret")
    assert api.send("GET", "/api/user", headers=headers).status_code == 401


def test_undocumented_fields_appear_in_every_row(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("user").insert_many([{}, {}])
    api.send("POST", "/_sandbox/undocumented-fields")
    assert all("lead_score" in row for row in api.rows("/api/user"))


def test_reset_brings_the_start_back() -> None:
    sandbox = Sandbox(size=0.01)
    before = sandbox.rows("customer").all()
    sandbox.rows("customer").clear()
    sandbox.behaviour = Behaviour(page_maximum=1)
    sandbox.faults.add("500")
    sandbox.reset()
    assert sandbox.rows("customer").all() == before
    assert (sandbox.behaviour, sandbox.faults.all()) == (Behaviour(), ())


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/rows/nonsense", None, 404), ("GET", "/rows/user/1", None, 404),
        ("DELETE", "/rows/user/1", None, 404), ("PATCH", "/rows/user/1", {}, 404),
        ("PATCH", "/behaviour", {"nonsense": 1}, 400),
        ("PATCH", "/behaviour", {"rate_limit": "x"}, 400),
        ("PATCH", "/behaviour", {"unfilterable_fields": [1]}, 400),
        ("PATCH", "/behaviour", {"page_maximum_mode": "x"}, 400),
        ("PATCH", "/behaviour", {"timezone": "Mars/Base"}, 400),
        ("POST", "/faults", {"kind": "nonsense"}, 400), ("POST", "/faults", {}, 400),
        ("PUT", "/clock", {"now": "noon"}, 400), ("POST", "/foreign", {}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_words(
    api: Client, method: str, path: str, body: object, status: int
) -> None:
    answer = api.send(method, f"/_sandbox{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["message"].endswith((".", "'noon'"))


def test_what_the_welcome_proposes_works(sandbox: Sandbox, api: Client) -> None:
    sandbox.rows("customer").insert_many([{}, {}])
    proposed = re.findall(r"curl -X (\w+) http://it(\S+) -d '(.+)'", welcome(sandbox, "http://it"))

    statuses = [api.send(verb, path, data=body).status_code for verb, path, body in proposed]

    assert [path for _, path, _ in proposed][1:3] == ["/_sandbox/delete", "/_sandbox/restore"]
    assert statuses == [200] * 4
