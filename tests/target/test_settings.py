"""What the settings of the target ask for, and what is said of wrong ones."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.errors import SettingInvalid
from cirqll_client.resources import RESOURCES
from target_cirqll.destinations import destination_of
from target_cirqll.policy import Policy
from target_cirqll.settings import Reporting, policy_of, reporting_of
from target_cirqll.target import TargetCirqll

if TYPE_CHECKING:
    from tests.tap.conftest import Source
    from tests.target.target_runs import TargetRuns

EXAMPLE = 'such as {"%s": {"__alias__": "%s"}}; or deselect the stream in the tap.'


def settings(**given: Any) -> dict[str, Any]:
    """The configuration that a run begins with."""
    return dict(TargetCirqll(config=given, setup_mapper=False).config)


def test_without_settings_the_policy_is_the_careful_one() -> None:
    assert policy_of(settings()) == Policy()
    assert reporting_of(settings()) == Reporting(
        rejects_path=Path("cirqll-rejects.jsonl"),
        rejects_with_record=False,
        max_rejects=None,
        dry_run_path=None,
    )


def test_each_setting_of_the_policy_reaches_it() -> None:
    given = {
        "write_mode": "update",
        "on_delete": "archive",
        "conflict": "report",
        "write_custom_fields": True,
        "source": "shop",
        "concurrency": 9,
    }

    policy = policy_of(settings(**given, max_deletions=Decimal("0.25"), match_on={"note": "text"}))

    assert {name: getattr(policy, name) for name in given} == given
    assert policy.max_deletions == 0.25
    assert type(policy.max_deletions) is float


@pytest.mark.parametrize("share", ["0.25", "0", "1"])
def test_a_fraction_may_come_as_text(share: str) -> None:
    assert policy_of(settings(max_deletions=share)).max_deletions == float(share)


def test_a_dry_run_has_a_file_and_a_real_one_has_none() -> None:
    assert reporting_of(settings(dry_run=True)).dry_run_path == Path("cirqll-dry-run.json")
    assert reporting_of(settings(dry_run=True, dry_run_path="x")).dry_run_path == Path("x")
    assert reporting_of(settings(dry_run=False, dry_run_path="x")).dry_run_path is None


@pytest.mark.parametrize("name", ["customer", "customers"])
@pytest.mark.parametrize("names", ["email", ["email"], ["email", "email"]])
def test_match_on_takes_plural_and_singular_a_text_or_a_list(name: str, names: object) -> None:
    assert policy_of(settings(match_on={name: names})).match_on == {"customer": ("email",)}


def test_match_on_keeps_the_order_of_trying() -> None:
    policy = policy_of(settings(match_on={"customers": ["import_id", "email"]}))

    assert policy.match_on == {"customer": ("import_id", "email")}


@pytest.mark.parametrize(
    ("match_on", "words"),
    [
        (
            {"custmers": "email"},
            "custmers, which is no resource of Cirqll; did you mean customers?",
        ),
        ({"x": "email"}, "x, which is no resource of Cirqll; known are: users, roles, customers, "),
        (
            {"customers": "emial"},
            "the field emial, which customers do not have; did you mean email?",
        ),
        (
            {"roles": "zzz"},
            "the field zzz, which roles do not have; known are: ",
        ),
        ({"customers": []}, "no field for customers: give one, or leave the resource out."),
        (
            {"customers": "id"},
            (
                "the field id of customers, by which rows that carry it are matched already: "
                "choose another field."
            ),
        ),
        (
            {"customers": "updated_at"},
            (
                "the field updated_at of customers, which Cirqll sets itself, so that no row can "
                "bring it: choose another field."
            ),
        ),
        (
            {"users": "password"},
            (
                "the field password of users, which Cirqll never shows, so that nothing can be "
                "found by it: choose another field."
            ),
        ),
        (
            {"customers": "address"},
            (
                "the field address of customers, whose values are objects or lists, by which "
                "Cirqll cannot filter: choose another field."
            ),
        ),
        (
            {"customer": "email", "customers": "name"},
            "customers twice, in the singular too: put all into one list.",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_match_on_that_cannot_be_used_is_named(match_on: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingInvalid) as raised:
        policy_of(settings(match_on=match_on))

    assert raised.value.sentence.startswith(f"The setting match_on names {words}")
    assert raised.value.sentence[-1] in ".?"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"write_mod": "x"},
            "There is no setting write_mod; did you mean write_mode?",
        ),
        (
            {"write_mode": "insert"},
            "The setting write_mode is wrong: it must be upsert or update or create.",
        ),
        ({"max_deletions": 10}, "The setting max_deletions is wrong: it must be at most 1."),
        ({"max_deletions": "some"}, "The setting max_deletions is wrong: it must be a number."),
        ({"concurrency": 33}, "The setting concurrency is wrong: it must be at most 32."),
        ({"batch_size_rows": 0}, "The setting batch_size_rows is wrong: it must be at least 1."),
        ({"match_on": "email"}, "The setting match_on is wrong: it must be a JSON object."),
        (
            {"match_on": {"customers": [5]}},
            "The setting match_on.customers.0 is wrong: it must be a text.",
        ),
        (
            {"stream_maps": {"people": "customers"}},
            "The setting stream_maps.people is wrong: it must be __NULL__ or a JSON object.",
        ),
        (
            {"stream_maps": {"people": {"name": 5}}},
            "The setting stream_maps.people.name is wrong: it must be __NULL__ or a text.",
        ),
        (
            {"dry_run": "maybe"},
            "The setting dry_run is wrong: it must be true or false.",
        ),
        ({"add_record_metadata": True}, "There is no setting add_record_metadata: remove it."),
        ({"load_method": "append-only"}, "There is no setting load_method: remove it."),
        ({"validate_records": True}, "There is no setting validate_records: remove it."),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_setting_is_one_sentence(
    given: dict[str, Any], sentence: str, run_target: TargetRuns, source: Source
) -> None:
    run = run_target(**given)

    assert [one[: len(sentence)] for one in run.sentences("ERROR")] == [sentence]
    assert run.code == 1
    assert "Traceback" not in run.log
    assert source.sandbox.requests == ()


@pytest.mark.parametrize("name", ["name", "stream"])
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.name)
def test_each_resource_is_the_destination_of_its_plural_and_singular(
    name: str, resource: Any
) -> None:
    assert destination_of(getattr(resource, name), write_mode="update") == resource


@pytest.mark.parametrize(
    ("stream", "words", "meant"),
    [
        ("custmers", "Did you mean customers?", "customers"),
        ("public-customers", "Did you mean customers?", "customers"),
        ("crm.contact", "Did you mean contacts?", "contacts"),
        ("Customers", "Did you mean customers?", "customers"),
    ],
)
def test_a_stream_that_is_no_resource_is_explained_with_a_stream_map(
    stream: str, words: str, meant: str
) -> None:
    with pytest.raises(SettingInvalid) as raised:
        destination_of(stream, write_mode="upsert")

    assert raised.value.sentence == (
        f"The stream {stream} is no resource of Cirqll. {words} Say what its rows are by the "
        f"setting stream_maps, {EXAMPLE % (stream, meant)}"
    )


def test_a_stream_that_is_like_no_resource_names_them_all() -> None:
    with pytest.raises(SettingInvalid, match=r"Known are: users, roles, .*, webhooks") as raised:
        destination_of("öäü", write_mode="upsert")

    assert EXAMPLE % ("öäü", "customers") in raised.value.sentence


def test_settings_cannot_be_created() -> None:
    with pytest.raises(SettingInvalid) as raised:
        destination_of("settings", write_mode="create")

    assert raised.value.sentence == (
        "The API cannot create settings, so the setting write_mode (create) leaves nothing to do "
        "for this stream: set it to update, or deselect the stream in the tap."
    )
    assert destination_of("settings", write_mode="upsert").name == "setting"
