"""Nothing personal is in what `cirqll doctor` gives away: the report, its JSON, its findings."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from cirqll_client.cli.doctor.fields import fields_seen
from cirqll_client.resources import RESOURCES
from tests.client.doctors_office import office_in
from tests.client.raw_server import answer, serving

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

CANARY = "Kanarie"
ODD_KEYS = {
    f"{CANARY} Jansen": 1,
    f"{CANARY}@voorbeeld.example": 2,
    "0612345678": 3,
    "k1234567": 4,
    f"{CANARY}-{CANARY}": 5,
    f"{CANARY}{'x' * 60}": 6,
    "": 7,
}
NESTED = {CANARY: {CANARY: CANARY}, "list": [CANARY]}


def given_away(done: Result, folder: Path) -> dict[str, str]:
    """All that leaves the terminal.

    But for the names of custom fields in its JSON: who asks for that wants to see them.
    """
    told = json.loads(done.stdout)
    del told["custom_fields"]
    with sqlite3.connect(folder / "store.sqlite") as store:
        learned = store.execute("select fact, value from learned").fetchall()
    report = folder / "cirqll-report.json"
    return {
        "json": json.dumps(told),
        "report": report.read_text(),
        "shown": done.stderr,
        "findings": json.dumps(learned),
    }


def test_no_value_name_or_key_of_the_account_is_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office_in(tmp_path, monkeypatch, size=0.02) as office:
        # Given an account full of texts that would be known again
        sandbox = office.sandbox
        someone = sandbox.add_account(f"{CANARY} Vogel", company=f"{CANARY} B.V.")
        token = sandbox.grant(user=someone).access_token
        for one in RESOURCES:
            texts = {"name": CANARY, "email": f"{CANARY}@v.example", "a_nested_one": NESTED}
            sandbox.rows(one.name).insert_many([{**texts, **ODD_KEYS} for _ in range(3)])
        # When
        done = office.run("--json", "--report", CIRQLL_ACCESS_TOKEN=token)
    # Then
    assert done.exit_code == 0
    for where, text in given_away(done, tmp_path).items():
        assert CANARY.lower() not in text.lower(), where
        assert token not in text, where
        assert "0612345678" not in text, where
        assert someone.email not in text, where
    # And what is no data is there
    report = (tmp_path / "cirqll-report.json").read_text()
    assert '"field a_nested_one": {"types": ["object"]' in report
    assert f'"unnamed_fields": {len(ODD_KEYS)}' in report


@pytest.mark.parametrize("status", [200, 400, 403, 404, 418, 422, 500])
def test_what_a_server_says_of_an_error_is_not_given_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    words = json.dumps({"message": f"{CANARY} {CANARY}", "errors": {CANARY: [CANARY]}})
    reply = answer(status, words, f"X-RateLimit-Limit: {CANARY}", f"Date: {CANARY}")
    with office_in(tmp_path, monkeypatch) as office, serving(reply) as server:
        done = office.run("--json", "--report", "--api-url", server.url)
    for where, text in given_away(done, tmp_path).items():
        assert CANARY not in text, where


@pytest.mark.parametrize("name", ["status", "is_vip", "Address2", "_x", "vat_number"])
def test_the_name_of_a_field_is_told(name: str) -> None:
    seen = fields_seen(RESOURCES[0], [{"id": 1, name: "x"}])
    assert (name in [one.name for one in seen.undocumented], seen.unnamed) == (True, 0)


@pytest.mark.parametrize("name", ODD_KEYS)
def test_a_key_that_may_be_data_is_counted_only(name: str) -> None:
    seen = fields_seen(RESOURCES[0], [{"id": 1, name: "x"}])
    assert (seen.undocumented, seen.unnamed) == ((), 1)
