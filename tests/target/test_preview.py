"""The report of a dry run: whole, exact, and safe to show to a person."""

from __future__ import annotations

import json
import resource
import stat
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.errors import SettingInvalid
from cirqll_client.resources import RESOURCES
from cirqll_client.responses import decoded
from target_cirqll.actions import Create, Delete, Nothing, Update
from target_cirqll.preview import Preview
from target_cirqll.rejects import Origin
from target_cirqll.rows import Reject

if TYPE_CHECKING:
    from collections.abc import Callable

CUSTOMER, USER = (
    next(one for one in RESOURCES if one.name == name) for name in ("customer", "user")
)
HEAD = (
    "Dry run: nothing was written to Cirqll. A run without dry_run does the following, unless "
    "Cirqll refuses a row or something changes in between."
)


def creating(**body: Any) -> Create:
    return Create(CUSTOMER, body, ("x",))


def updating(before: Any, after: Any, *, field: str = "name") -> Update:
    return Update(CUSTOMER, 12, {field: after}, {field: before})


def previewed(action: Create | Update | Delete | Nothing, **key: Any) -> Preview:
    preview = Preview()
    preview.add("customers", action=action, key=key)
    return preview


def refused(number: int, *, kind: Any = "invalid", reason: str = "The name is missing.") -> Preview:
    """Preview so many rejects."""
    preview = Preview(most_shown=7)
    for position in range(1, number + 1):
        origin = Origin(stream="customers", resource="customer", position=position, key={"k": 1})
        preview.reject(origin, reject=Reject(kind, reason, "name"))
    return preview


def body_of(preview: Preview) -> list[str]:
    """Give the lines below the head and the counts."""
    return preview.text().splitlines()[3:]


def facts(preview: Preview) -> Any:
    return decoded(preview.as_json().encode())["streams"]["customers"]


def test_the_report_tells_what_a_run_would_do_field_by_field() -> None:
    # Given
    preview = Preview()
    price = Update(
        CUSTOMER, 12, {"price": Decimal("13.10"), "name": "Zoë"},
        {"price": Decimal("12.50"), "name": None},
    )  # fmt: skip
    preview.add("customers", action=price, key={"import_id": 9})
    preview.add("customers", action=creating(name="Bakkerij", user_id=3), key={"import_id": 7})
    preview.add("customers", action=Nothing("unchanged"), key={})
    preview.add("customers", action=Nothing("left", "not in Cirqll"), key={})
    preview.add("users", action=Delete(USER, 5), key={"code": "x"})
    archived = Update(CUSTOMER, 6, {"archived_at": "2026-01-01 00:00:00"}, deed="archived")
    preview.add("users", action=archived, key={})
    origin = Origin(stream="users", resource="user", position=1004, key={"code": "y"}, id=4)
    preview.reject(origin, reject=Reject("refused", "Too long.", "name"))
    preview.finish(warnings=["There is more."])
    # Then
    assert preview.text() == HEAD + dedent("""

        customers: 1 to create, 1 to update, 1 unchanged, 1 left alone (1 not in Cirqll).
          To create:
            import_id 7
              - name: "Bakkerij"
              - user_id: 3
          To update:
            id 12, import_id 9
              - price: 12.50 → 13.10
              - name: null → "Zoë"

        users: 1 to delete, 1 to archive; 1 rejected (1 refused by the API).
          To delete:
            id 5, code "x"
          To archive:
            id 6
              - archived_at: null → "2026-01-01 00:00:00"
          Rejected, refused by the API:
            row 1,004, id 4, code "y" (name): Too long.

        Warning: There is more.
        """)


def test_without_rows_it_says_that_none_came() -> None:
    preview = Preview()
    preview.finish()
    assert preview.text() == f"{HEAD}\nNo rows came.\n"
    assert json.loads(preview.as_json()) == {
        "dry_run": True, "is_whole": True, "warnings": [], "streams": {},
    }  # fmt: skip


def test_what_ended_early_says_that_it_is_not_all() -> None:
    preview = Preview()
    assert "It ended early, so this is not all" in preview.text()
    assert json.loads(preview.as_json())["is_whole"] is False


def test_an_id_that_was_made_up_is_shown_as_words() -> None:
    # Given a child and a parent that are both new, and a row that means two records
    contact = next(one for one in RESOURCES if one.name == "contact")
    preview = Preview()
    child = Create(contact, {"customer_id": -1, "import_id": 5}, ("x",))
    preview.add("contacts", action=child, key={})
    moved = Update(contact, -2, {"customer_id": -1}, {"customer_id": 4})
    preview.add("contacts", action=moved, key={"order": -1})
    origin = Origin(stream="contacts", resource="contact", position=3, key={})
    preview.reject(origin, reject=Reject("ambiguous", "contacts -2 and 9 are alike", "email"))
    # Then
    assert body_of(preview) == [
        "  To create:",
        "    without a key",
        "      - customer_id: (new customer)",
        "      - import_id: 5",
        "  To update:",
        "    id (new contact), order -1",
        "      - customer_id: 4 → (new customer)",
        "  Rejected, ambiguous:",
        "    row 3, without a key (email): contacts (new) and 9 are alike",
    ]
    told = decoded(preview.as_json().encode())["streams"]["contacts"]
    assert told["create"]["first"][0]["fields"]["customer_id"] == "(new customer)"
    assert told["update"]["first"][0]["id"] == "(new contact)"


def test_negative_numbers_in_the_words_of_the_api_stay() -> None:
    assert "must be at least -1 or so" in refused(1, reason="It must be at least -1 or so").text()


def test_the_json_tells_the_same() -> None:
    preview = refused(1)
    preview.add("customers", action=creating(price=Decimal("12.50")), key={"k": 1})
    preview.add("customers", action=updating("A", "B"), key={"k": 2})
    preview.add("customers", action=Delete(CUSTOMER, 5), key={"k": 3})
    preview.add("customers", action=Nothing("unchanged"), key={})
    preview.add("customers", action=Nothing("left", "why"), key={})

    assert '"price": 12.50' in preview.as_json()
    assert facts(preview) == {
        "rows": 6,
        "create": {"count": 1, "first": [{"key": {"k": 1}, "fields": {"price": Decimal("12.50")}}]},
        "update": {
            "count": 1,
            "first": [
                {"id": 12, "key": {"k": 2}, "fields": {"name": {"before": "A", "after": "B"}}}
            ],
        },
        "delete": {"count": 1, "first": [{"id": 5, "key": {"k": 3}}]},
        "archive": {"count": 0, "first": []},
        "unchanged": {"count": 1},
        "left": {"count": 1, "reasons": {"why": 1}},
        "rejected": {
            "count": 1,
            "kinds": {
                "invalid": {
                    "count": 1,
                    "first": [
                        {
                            "position": 1, "id": None, "key": {"k": 1}, "field": "name",
                            "reason": "The name is missing.",
                        }
                    ],
                }
            },
        },
    }  # fmt: skip


def test_only_the_first_rows_are_kept_and_all_are_counted() -> None:
    preview = Preview(most_shown=2)
    for number in range(5000):
        preview.add("customers", action=creating(name="x"), key={"k": number})

    assert facts(preview)["create"]["count"] == 5000
    assert [one["key"]["k"] for one in facts(preview)["create"]["first"]] == [0, 1]
    assert body_of(preview)[-1] == "    and 4,998 more"
    assert len(preview._plans["customers"].deeds["created"]) == 2


def test_of_the_rejects_the_text_shows_the_first_reasons_and_the_json_as_many_as_of_all() -> None:
    preview = refused(1000)

    assert len(facts(preview)["rejected"]["kinds"]["invalid"]["first"]) == 7
    assert len(preview._plans["customers"].rejects["invalid"]) == 7
    assert body_of(preview)[0] == "  Rejected, invalid:"
    assert body_of(preview)[5:] == [
        "    row 5, k 1 (name): The name is missing.",
        "    and 995 more",
    ]


def test_a_long_value_is_cut_in_the_text_and_whole_in_the_json() -> None:
    preview = previewed(creating(name="x" * 500), k=1)

    assert body_of(preview)[2] == f'      - name: "{"x" * 58}…'
    assert facts(preview)["create"]["first"][0]["fields"]["name"] == "x" * 500


def test_a_value_of_just_the_longest_length_is_not_cut() -> None:
    preview = previewed(creating(name="x" * 58), k=1)

    assert body_of(preview)[2] == f'      - name: "{"x" * 58}"'


def test_what_the_schema_marks_as_write_only_is_never_shown() -> None:
    # Given
    preview = Preview()
    secret = "Geheim-1"
    preview.add("users", action=Create(USER, {"password": secret}, ("x",)), key={"k": 1})
    update = Update(USER, 12, {"password": secret}, {"password": secret})
    preview.add("users", action=update, key={"password": secret})
    origin = Origin(stream="users", resource="user", position=1, key={"password": secret})
    preview.reject(origin, reject=Reject("invalid", "Odd."))
    # Then
    assert secret not in preview.text() + preview.as_json()
    assert preview.text().splitlines()[3:9] == [
        "  To create:",
        "    k 1",
        "      - password: ***",
        "  To update:",
        "    id 12, password ***",
        "      - password: *** → ***",
    ]


def test_that_a_secret_was_not_there_is_none() -> None:
    update = Update(USER, 12, {"password": "Geheim-1"}, {"password": None})

    assert body_of(previewed(update, k=1))[2] == "      - password: null → ***"


def test_a_row_without_a_key_says_so() -> None:
    assert body_of(previewed(creating(name="x")))[1] == "    without a key"


HOSTILE = st.text(st.sampled_from('\x1b[2J\r\n\x9b\x7f\u202e\u2028\u0085\ud83d\\"ab\N{SNOWMAN}'))


@given(HOSTILE, HOSTILE)
def test_no_text_can_forge_a_line_or_steer_a_terminal(value: str, name: str) -> None:
    # Given
    preview = Preview()
    hostile = {name: value}
    preview.add(f"s{name}", action=Create(CUSTOMER, hostile, ("x",)), key=hostile)
    preview.add(f"s{name}", action=Update(CUSTOMER, 1, hostile, hostile), key=hostile)
    origin = Origin(stream=f"s{name}", resource="customer", position=1, key=hostile)
    preview.reject(origin, reject=Reject("invalid", value, name))
    # When
    lines = preview.text().split("\n")
    # Then
    assert len(lines) == 12
    assert all(line.isprintable() for line in lines)


def test_an_escape_is_shown_as_what_it_is() -> None:
    preview = previewed(updating("a\x1b[2J\u202eb", "c\nd\x9b"), k=1)

    assert body_of(preview)[2] == r'      - name: "a\u001b[2J\u202eb" → "c\nd\u009b"'


def test_half_a_surrogate_pair_does_not_spoil_the_json() -> None:
    preview = previewed(creating(name="\ud83d", price=Decimal("1.50")), k=1)

    assert '"price":1.50' in preview.as_json()
    assert facts(preview)["create"]["first"][0]["fields"]["name"] == "\ud83d"


def test_the_file_replaces_an_older_one_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "dry-run.json"
    path.write_text("x" * 10_000)
    path.chmod(0o644)
    preview = previewed(creating(name="x"), k=1)

    preview.write_json(path)

    assert path.read_text("utf-8") == preview.as_json()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def folder_missing(folder: Path) -> Path:
    return folder / "missing" / "dry-run.json"


def is_a_folder(folder: Path) -> Path:
    (folder / "sub").mkdir()
    return folder / "sub"


def is_a_link(folder: Path) -> Path:
    (folder / "link").symlink_to(folder / "elsewhere")
    return folder / "link"


def is_a_device(folder: Path) -> Path:
    del folder
    return Path("/dev/null")


@pytest.mark.parametrize(
    ("unwritable", "reason"),
    [
        (folder_missing, "No such file or directory"),
        (is_a_folder, "it is no ordinary file"),
        (is_a_link, "it is no ordinary file"),
        (is_a_device, "it is no ordinary file"),
    ],
)
def test_a_file_that_cannot_be_written_is_told_with_the_setting(
    tmp_path: Path, unwritable: Callable[[Path], Path], reason: str
) -> None:
    path = unwritable(tmp_path)
    before = sorted(tmp_path.iterdir())

    with pytest.raises(SettingInvalid) as told:
        Preview().write_json(path)

    assert told.value.sentence == (
        f"The report of the dry run could not be written to {path} ({reason}). Correct the setting "
        "dry_run_path: the folder must be there, and this user must be able to write to it. "
        "Nothing was written to Cirqll either."
    )
    assert sorted(tmp_path.iterdir()) == before


def test_a_disk_that_is_full_leaves_the_older_file_as_it_was(tmp_path: Path) -> None:
    # Given
    path = tmp_path / "dry-run.json"
    path.write_text("older")
    preview = previewed(creating(name="x" * 5000), k=1)
    # When
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        with pytest.raises(SettingInvalid, match="File too large"):
            preview.write_json(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    # Then
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]
