"""The accounts of a store: what is kept, and who may change it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from cirqll_client.store import Store
from cirqll_client.token_life import Mark, StoredAccount, mark_in_force
from cirqll_client.token_store import Origin, TokenStore
from cirqll_client.tokens import TokenPair, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection

ORIGIN = Origin(
    client_id="client",
    token_url="https://login.example/token",
    signed_in_as="Noor Zandwijker of Verzonnen Zaken B.V.",
    company_id="7",
)
PAIR = TokenPair(
    "access-1",
    "refresh-1",
    obtained_at=1_750_000_000.25,
    expires_at=1_752_592_000.5,
    refresh_expires_at=1_757_776_000.0,
    scopes=frozenset({"user.read.all", "customer.read.all"}),
)
NEW = TokenPair("access-2", "refresh-2", obtained_at=1_751_000_000.0)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with closing(Store(store_url)) as one:
        yield one


@pytest.fixture
def tokens(store: Store) -> TokenStore:
    return TokenStore(store, api_url="https://api.example")


def begin(
    tokens: TokenStore, refresh: str = "refresh-1", *, by: str = "me", again: bool = False
) -> bool:
    return tokens.begin_renewal(
        "default",
        version=tokens.look("default").stored.version,
        refresh_token=refresh,
        by=by,
        seconds=100,
        even_if_sent=again,
    )


def pair_of(tokens: TokenStore) -> TokenPair | None:
    stored = tokens.read("default")
    return stored.pair if stored else None


def state_of(tokens: TokenStore) -> str:
    look = tokens.look("default")
    return mark_in_force(look.stored, now=look.now).state


def test_what_is_saved_is_read_whole(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    stored = tokens.read("default")
    assert stored == StoredAccount(
        "default",
        stored.version if stored else 0,
        PAIR,
        client_id="client",
        token_url="https://login.example/token",
        signed_in_as="Noor Zandwijker of Verzonnen Zaken B.V.",
        company_id="7",
    )


@pytest.mark.parametrize(
    "pair", [TokenPair("access", None, 0.0), TokenPair(None, "refresh", 0.0, is_reusable=True)]
)
def test_half_a_pair_is_read_as_it_was_saved(tokens: TokenStore, pair: TokenPair) -> None:
    tokens.save("default", pair, ORIGIN)
    assert pair_of(tokens) == pair


def test_accounts_are_apart_from_each_other_and_from_those_of_another_api(
    store: Store, tokens: TokenStore
) -> None:
    tokens.save("b", PAIR, ORIGIN)
    tokens.save("a", NEW, ORIGIN)
    other = TokenStore(store, api_url="https://other.example")
    other.save("a", PAIR, ORIGIN)
    assert [(one.account, one.pair) for one in tokens.accounts()] == [("a", NEW), ("b", PAIR)]
    assert tokens.forget("a")
    assert not tokens.forget("a")
    assert tokens.read("a") is None
    assert [one.account for one in other.accounts()] == ["a"]
    assert tokens.has_seen("b", "refresh-1")
    assert not tokens.has_seen("a", "refresh-1")


def test_only_one_of_many_begins(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    version = tokens.look("default").stored.version

    def try_it(number: int) -> bool:
        return tokens.begin_renewal(
            "default", version=version, refresh_token="refresh-1", by=str(number), seconds=9
        )

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, range(24))) == 1


def test_only_one_of_many_begins_with_a_seed_where_there_is_no_account(tokens: TokenStore) -> None:
    def try_it(number: int) -> bool:
        return tokens.begin_renewal(
            "default", version=0, refresh_token="seed", by=str(number), seconds=9
        )

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, range(24))) == 1
    assert tokens.look("default", token="seed").has_seen


def test_a_mark_is_on_its_way_for_as_long_as_was_said(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    look = tokens.look("default")
    assert look.stored.mark.state == "sent"
    assert look.stored.mark.token == fingerprint("refresh-1")
    assert 95 < look.stored.mark.until - look.now <= 100
    assert mark_in_force(look.stored, now=look.now + 101).state == "lost"


def test_a_new_pair_takes_the_place_of_the_old_one_and_keeps_who_it_is(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    assert tokens.finish_renewal("default", NEW, by="me", origin=Origin(client_id="another"))
    stored = tokens.read("default")
    assert stored
    assert (stored.pair, stored.mark, stored.is_sent) == (NEW, Mark(), False)
    assert (stored.client_id, stored.company_id) == ("another", "7")
    assert tokens.has_seen("default", "refresh-2")


def test_whose_a_pair_is_that_came_of_a_token_from_the_settings_is_not_known(
    tokens: TokenStore,
) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens, "a-seed")
    assert tokens.finish_renewal("default", NEW, by="me", origin=Origin(client_id="another"))
    stored = tokens.read("default")
    assert stored
    assert (stored.pair, stored.signed_in_as, stored.company_id) == (NEW, None, None)


def test_a_token_that_one_account_has_sent_no_other_account_sends(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    tokens.save("other", PAIR, ORIGIN)
    assert begin(tokens)
    assert tokens.finish_renewal("default", NEW, by="me", origin=ORIGIN)
    look = tokens.look("other", token="refresh-1")
    assert look.stored.is_sent
    assert look.has_seen
    assert not tokens.begin_renewal(
        "other",
        version=look.stored.version,
        refresh_token="refresh-1",
        by="me",
        seconds=100,
    )


def test_a_token_that_was_sent_is_not_sent_again_whoever_asks(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    tokens.end_renewal("default", Mark("lost", token=fingerprint("refresh-1")), by="me")
    assert not begin(tokens)
    assert state_of(tokens) == "lost"
    assert begin(tokens, again=True)


def test_that_a_token_was_sent_is_remembered_behind_a_seed_that_fails(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    tokens.end_renewal("default", Mark("lost", token=fingerprint("refresh-1")), by="me")
    assert begin(tokens, "seed")
    tokens.end_renewal("default", Mark("ready"), by="me")
    assert not tokens.has_seen("default", "seed")
    assert state_of(tokens) == "lost"
    assert not begin(tokens)


def test_a_token_that_was_certainly_not_taken_may_be_sent_again(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    tokens.end_renewal("default", Mark(), by="me")
    assert tokens.has_seen("default", "refresh-1")
    assert state_of(tokens) == "ready"
    assert begin(tokens)


def test_only_the_writer_of_the_mark_says_how_it_ended(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    tokens.end_renewal("default", Mark(), by="another")
    assert not tokens.finish_renewal("default", NEW, by="another", origin=ORIGIN)
    assert state_of(tokens) == "sent"
    assert not tokens.has_seen("default", "refresh-2")


def test_a_sign_in_during_a_renewal_wins(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    signed_in = TokenPair("access-3", "refresh-3", obtained_at=0.0)
    tokens.save("default", signed_in, ORIGIN)
    assert not tokens.finish_renewal("default", NEW, by="me", origin=ORIGIN)
    assert pair_of(tokens) == signed_in


def test_a_sign_in_is_saved_although_somebody_logs_out_at_that_moment(
    new_postgres_url: Callable[[], str],
) -> None:
    with ExitStack() as later:
        url = new_postgres_url()
        mine, theirs = (later.enter_context(closing(Store(url))) for _ in range(2))
        somebody = TokenStore(theirs, api_url="https://api.example")

        class Crossed(TokenStore):
            """Somebody else is there first, and gone again, when a row is opened."""

            times = 0

            def _open_row(self, connection: Connection, account: str) -> None:
                Crossed.times += 1
                if Crossed.times > 1:
                    return super()._open_row(connection, account)
                somebody.save(account, PAIR, ORIGIN)
                super()._open_row(connection, account)
                somebody.forget(account)
                return None

        Crossed(mine, api_url="https://api.example").save("default", NEW, ORIGIN)
        stored = somebody.read("default")
        assert stored
        assert stored.pair == NEW


def test_a_sign_in_wins_over_a_seed_that_was_not_taken(tokens: TokenStore) -> None:
    assert begin(tokens, "seed")
    tokens.save("default", PAIR, ORIGIN)
    tokens.end_renewal("default", Mark(), by="me")
    assert tokens.has_seen("default", "seed")


def test_who_logged_out_during_a_renewal_stays_logged_out(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    assert tokens.forget("default")
    assert not tokens.finish_renewal("default", NEW, by="me", origin=ORIGIN)
    tokens.end_renewal("default", Mark(), by="me")
    assert tokens.read("default") is None
    assert tokens.accounts() == []
    assert not tokens.has_seen("default", "refresh-2")


def test_a_reader_of_an_account_that_was_removed_and_made_anew_does_not_begin(
    tokens: TokenStore,
) -> None:
    tokens.save("default", PAIR, ORIGIN)
    version = tokens.look("default").stored.version
    tokens.forget("default")
    tokens.save("default", NEW, ORIGIN)
    assert not tokens.begin_renewal(
        "default", version=version, refresh_token="refresh-1", by="me", seconds=9
    )


def test_beginning_on_an_account_that_was_removed_leaves_no_trace_of_it(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    version = tokens.look("default").stored.version
    tokens.forget("default")
    assert not tokens.begin_renewal(
        "default", version=version, refresh_token="refresh-1", by="me", seconds=9
    )
    assert tokens.accounts() == []
    assert tokens.look("default").stored.version == 0


def test_after_a_logout_what_was_sent_is_known_and_the_rest_forgotten(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    tokens.finish_renewal("default", NEW, by="me", origin=ORIGIN)
    tokens.forget("default")
    assert tokens.has_seen("default", "refresh-1")
    assert not tokens.has_seen("default", "refresh-2")


def test_after_a_logout_a_token_that_is_given_back_each_time_may_come_anew(
    tokens: TokenStore,
) -> None:
    tokens.save("default", TokenPair("a", "refresh-1", 0.0, is_reusable=True), ORIGIN)
    assert begin(tokens)
    tokens.forget("default")
    assert not tokens.has_seen("default", "refresh-1")


def test_a_person_who_gives_a_token_again_may_have_it_sent_again(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    assert begin(tokens)
    tokens.save("default", PAIR, ORIGIN)
    assert state_of(tokens) == "ready"
    assert begin(tokens)


def test_an_account_without_tokens_is_kept_as_one(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    tokens.save("default", None, ORIGIN)
    assert pair_of(tokens) is None
    assert [one.account for one in tokens.accounts()] == ["default"]


def test_the_time_is_that_of_the_store(store: Store, tokens: TokenStore) -> None:
    with closing(Store("sqlite://", clock=lambda: 5.0)) as other:
        assert TokenStore(other, api_url="x").look("default").now == 5.0
    assert abs(tokens.now() - time.time()) < 5
    assert abs(tokens.look("default").now - tokens.now()) < 5
    assert store


def test_no_token_is_shown(tokens: TokenStore) -> None:
    tokens.save("default", PAIR, ORIGIN)
    shown = repr((tokens.read("default"), tokens.look("default"), tokens.accounts(), tokens))
    assert "access-1" not in shown
    assert "refresh-1" not in shown
