"""A request is signed by a good token, and one that dies in between costs no result."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from requests import Request

from cirqll_client.authentication import BearerToken, StaticToken
from cirqll_client.connection import connect
from cirqll_client.errors import SettingInvalid, SignInRequired
from tests.client.signed_in import DAY, Cirqll, cirqll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.connection import Connection

CANARY = "canary-not-a-secret"
DEAD = "Cirqll no longer accepts the refresh token of the account default ("


@pytest.fixture
def crm(sqlite_url: str) -> Iterator[Cirqll]:
    with cirqll(sqlite_url) as one:
        yield one


@pytest.fixture
def connection(crm: Cirqll) -> Iterator[Connection]:
    """A connection whose token is young, and which has read something with it."""
    crm.sign_in(ages=(-DAY, 29 * DAY))
    with closing(connect(crm.settings())) as one:
        one.client.me()
        crm.sandbox.forget_requests()
        yield one


def statuses(crm: Cirqll) -> list[int | None]:
    return [one.status for one in crm.sandbox.requests]


def sentence_of(connection: Connection) -> str:
    with pytest.raises(SignInRequired) as caught:
        connection.client.me()
    return caught.value.sentence


def test_a_token_that_dies_in_between_is_renewed_and_no_result_is_lost(
    crm: Cirqll, connection: Connection
) -> None:
    crm.sandbox.expire_access_tokens()
    assert connection.client.me()
    assert (statuses(crm), len(crm.refreshes)) == ([401, 200], 1)


def test_what_another_program_renewed_is_read_from_the_store(
    crm: Cirqll, connection: Connection
) -> None:
    crm.keeper().renew_now()
    assert connection.client.me()
    assert (statuses(crm), len(crm.refreshes)) == ([401, 200], 1)


def test_what_a_program_with_no_part_in_the_store_renewed_takes_a_sign_in(
    crm: Cirqll, connection: Connection
) -> None:
    pair = crm.stored().pair
    assert pair
    crm.sandbox.refresh_as_another_program(str(pair.refresh_token))
    sentence = sentence_of(connection)
    assert sentence.startswith(DEAD)
    assert sentence_of(connection) == sentence
    assert len(crm.refreshes) == 1


def test_a_new_token_that_is_refused_as_well_is_not_renewed_again(
    crm: Cirqll, connection: Connection
) -> None:
    crm.sandbox.faults.add("401", path="/api")
    assert "sign in again with `cirqll login`" in sentence_of(connection)
    assert (statuses(crm), len(crm.refreshes)) == ([401, 401], 1)


def test_a_token_that_was_just_renewed_is_not_renewed_again_but_read_again(crm: Cirqll) -> None:
    # Given a token that was refused and renewed
    crm.sign_in(ages=(-DAY, 29 * DAY))
    keeper = crm.keeper()
    assert keeper.renewed(keeper.token())
    # When the new one is refused, too
    second = keeper.token()
    assert not keeper.renewed(second, may_renew=False)
    # Then only what another program renews counts
    crm.keeper().renew_now()
    assert keeper.renewed(second, may_renew=False)
    assert keeper.token() is not second
    assert len(crm.refreshes) == 2


def test_a_run_that_begins_without_a_usable_token_ends_in_one_sentence(crm: Cirqll) -> None:
    crm.sign_in()
    crm.sandbox.revoke_everything()
    with closing(connect(crm.settings())) as connection:
        assert sentence_of(connection).startswith(DEAD)
    assert (statuses(crm), len(crm.refreshes)) == ([], 1)


def test_a_fixed_token_is_used_as_it_is() -> None:
    static = StaticToken(f"  {CANARY}\n")
    request = static.token()(Request("GET", "http://127.0.0.1").prepare())
    assert request.headers["Authorization"] == f"Bearer {CANARY}"
    assert not static.renewed(static.token())
    assert CANARY not in repr([static, static.token(), vars(static)])


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "é", "nul\0"])
def test_what_can_be_no_token_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        StaticToken(token)
    assert caught.value.sentence == (
        "The setting access_token holds a space, a line break or another character that no token "
        "has; copy the token again and put it there alone."
    )
    with pytest.raises(SettingInvalid, match="The access token of the store holds"):
        BearerToken(token)
