"""Tokens are renewed in time, once, whatever the network, the store and the clocks do."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sql
from hypothesis import given, settings
from hypothesis import strategies as st

from cirqll_client.errors import CirqllError, SettingInvalid, SignInRequired, Unavailable
from cirqll_client.retry import Patience
from cirqll_client.store import Store
from cirqll_client.token_life import Mark
from cirqll_client.token_store import TokenStore
from cirqll_client.tokens import TokenPair
from cirqll_sandbox import LUCA
from tests.client.fake_time import FakeTime
from tests.client.signed_in import DAY, Cirqll, Renewers, cirqll, stored_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cirqll_client.token_keeper import TokenKeeper

TOKEN_URL = "/oauth/token"
SPENT = (
    "The tokens of the account default were sent to be renewed, and no answer came back ({}). The "
    "refresh token may be spent by that, so it is not sent again. Sign in again with `cirqll "
    "login`."
)
LOST_SENTENCE = SPENT.partition("{")[0]
NOT_TAKEN = {"429", "429-without-retry-after", "login-redirect", "404"}
LOST = {
    "cut-before", "lost-answer", "cut-middle", "truncated", "empty", "html-200", "500", "502-html",
    "503", "no-access-token",
}  # fmt: skip


@pytest.fixture
def crm(sqlite_url: str) -> Iterator[Cirqll]:
    with cirqll(sqlite_url) as one:
        yield one


@pytest.fixture(scope="module")
def any_crm() -> Iterator[Cirqll]:
    """One for many examples, whose store is in memory."""
    with cirqll("sqlite://") as one:
        yield one


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


def quick(
    crm: Cirqll, fake: FakeTime, tokens: TokenStore | None = None, **named: Any
) -> TokenKeeper:
    """A keeper for whom waiting takes no time."""
    given = tokens or crm.tokens(clock=fake)
    return crm.keeper(given, sleep=fake.sleep, clock=fake, **named)


def sentence_of(keeper: TokenKeeper, kind: type[CirqllError] = SignInRequired) -> str:
    with pytest.raises(kind) as caught:
        keeper.token()
    assert type(caught.value) is kind
    return caught.value.sentence


def access_token(keeper: TokenKeeper) -> str | None:
    keeper.token()
    assert keeper._held
    return keeper._held.pair.access_token


def aged(
    fake: FakeTime, pair: Any, *, days: float = -31, left: float = -1, **facts: Any
) -> TokenPair:
    """A pair that was obtained so many days ago, and expires in so many."""
    return TokenPair(
        pair.access_token,
        pair.refresh_token,
        obtained_at=fake.now + days * DAY,
        expires_at=fake.now + left * DAY,
        **facts,
    )


def assert_none_was_sent_twice(crm: Cirqll) -> None:
    """No token was sent after a request that the server may have carried out."""
    for credential in crm.times_sent():
        requests = [one for one in crm.refreshes if one.credential == credential]
        assert all(one.outcome == "not_carried_out" for one in requests[:-1])
        assert all(set(one.faults) & NOT_TAKEN for one in requests[:-1])


# The network


@pytest.mark.parametrize("kind", sorted(LOST))
def test_an_answer_that_does_not_tell_is_lost_and_the_token_not_sent_again(
    crm: Cirqll, fake_time: FakeTime, kind: str
) -> None:
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    crm.sandbox.faults.add(kind, path=TOKEN_URL, times=1)
    sentences = {sentence_of(quick(crm, fake_time, tokens)) for _ in range(3)}
    (sentence,) = sentences
    assert sentence.startswith(LOST_SENTENCE)
    assert len(crm.refreshes) == 1


@pytest.mark.parametrize("kind", ["429", "429-without-retry-after"])
def test_after_a_refusal_that_took_nothing_it_is_tried_again(
    crm: Cirqll, fake_time: FakeTime, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    crm.sandbox.faults.add(kind, path=TOKEN_URL, times=2)
    quick(crm, fake_time, tokens, patience=Patience(600)).token()
    assert [one.outcome for one in crm.refreshes] == ["not_carried_out"] * 2 + ["issued"]
    assert len([one for one in caplog.records if "trying again in" in one.getMessage()]) == 2


def test_who_waits_for_too_long_gives_up_and_the_token_is_as_good_as_before(
    crm: Cirqll, fake_time: FakeTime
) -> None:
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    fault = crm.sandbox.faults.add("429", path=TOKEN_URL, seconds=20)
    keeper = quick(crm, fake_time, tokens, patience=Patience(50))
    began = fake_time.now
    assert sentence_of(keeper, Unavailable) == (
        "The tokens of the account default could not be renewed: Too Many Requests. They were not "
        "spent by that: run again later."
    )
    assert 50 <= fake_time.now - began < 80
    crm.sandbox.faults.remove(fault.id)
    fake_time.pass_until(fake_time.now + 61)
    assert quick(crm, fake_time, tokens).token()


def test_who_waits_while_others_try_in_vain_gives_up_as_well(
    crm: Cirqll, fake_time: FakeTime
) -> None:
    tokens = crm.tokens(clock=fake_time)
    pair = aged(fake_time, crm.sandbox.grant())
    tokens.save("default", pair, crm.origin())

    def fail_once_more(_seconds: float = 0) -> None:
        stored = tokens.look("default").stored
        if stored.mark.until > fake_time.now + 5:
            return
        version = stored.version
        assert tokens.begin_renewal(
            "default", version=version, refresh_token=str(pair.refresh_token), by="x", seconds=9
        )
        mark = Mark("ready", until=fake_time.now + 30, words="it is down")
        tokens.end_renewal("default", mark, by="x")

    fail_once_more()
    keeper = quick(crm, fake_time, tokens, on_wait=fail_once_more)
    began = fake_time.now
    assert "could not be renewed: it is down." in sentence_of(keeper, Unavailable)
    assert 60 < fake_time.now - began < 70
    assert crm.refreshes == []


@pytest.mark.parametrize("kind", ["login-redirect", "404"])
def test_where_there_is_no_token_service_nothing_is_spent(
    crm: Cirqll, fake_time: FakeTime, kind: str
) -> None:
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    crm.sandbox.faults.add(kind, path=TOKEN_URL, times=1)
    assert "check the settings token_url" in sentence_of(
        quick(crm, fake_time, tokens), SettingInvalid
    )
    assert quick(crm, fake_time, tokens).token()


def test_a_server_that_is_slower_than_the_timeout_may_have_taken_it(crm: Cirqll) -> None:
    crm.sign_in()
    crm.sandbox.faults.add("slow", path=TOKEN_URL, seconds=1, times=1)
    assert sentence_of(crm.keeper(request_timeout=0.2)) == SPENT.format(
        "no whole answer within request_timeout, 0.2 s"
    )
    assert sentence_of(crm.keeper()) == SPENT.format(
        "no whole answer within request_timeout, 0.2 s"
    )
    assert len(crm.refreshes) == 1


def test_a_server_that_cannot_be_reached_is_tried_until_it_can(
    crm: Cirqll, fake_time: FakeTime
) -> None:
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    with closing(socket.socket()) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    with ExitStack() as later:
        begin = crm.sandbox.running(port=port)
        fake_time.at(fake_time.now + 5, lambda: later.enter_context(begin))
        url = f"http://127.0.0.1:{port}/oauth/token"
        quick(crm, fake_time, tokens, token_url=url, patience=Patience(600)).token()
    assert [one.outcome for one in crm.refreshes] == ["issued"]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from(sorted(LOST | NOT_TAKEN | {""})), max_size=5),
    st.sampled_from(["", "seed"]),
)
def test_no_refresh_token_is_sent_twice_whatever_happens_at_the_token_url(
    any_crm: Cirqll, faults: list[str], seeds: str
) -> None:
    crm, fake = any_crm, FakeTime()
    crm.sandbox.reset()
    crm.sandbox.behaviour = replace(crm.sandbox.behaviour, rate_limit=0)
    for number, kind in enumerate(faults, start=1):
        if kind:
            crm.sandbox.faults.add(kind, path=TOKEN_URL, at=number)
    with closing(Store("sqlite://", clock=fake)) as store:
        tokens = TokenStore(store, api_url=crm.url)
        tokens.save("default", aged(fake, crm.sandbox.grant()), crm.origin())
        for run in range(6):
            seed = f"nobody-gave-this-{seeds}-{run}" if seeds and run % 2 else None
            with suppress(CirqllError):
                quick(crm, fake, tokens, refresh_token=seed).token()
            fake.sleep(31 * DAY)
    assert crm.refreshes
    assert_none_was_sent_twice(crm)


def test_a_service_that_gives_the_same_token_back_is_asked_again_after_a_lost_answer(
    crm: Cirqll, fake_time: FakeTime
) -> None:
    crm.sandbox.behaviour = replace(LUCA, rate_limit=0)
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    quick(crm, fake_time, tokens).token()
    fake_time.sleep(2 * DAY)
    crm.sandbox.faults.add("500", path=TOKEN_URL, times=3)
    quick(crm, fake_time, tokens, patience=Patience(600)).token()
    assert len(crm.refreshes) == 5
    assert len(crm.times_sent()) == 1
    assert len(fake_time.naps) >= 3


# The store


def hide(engine: sql.Engine) -> Callable[[], None]:
    """Let the store fail until the result is called."""
    with engine.begin() as connection:
        connection.execute(sql.text("alter table accounts rename to gone"))

    def bring_back() -> None:
        with engine.begin() as connection:
            connection.execute(sql.text("alter table gone rename to accounts"))

    return bring_back


@pytest.mark.parametrize("fate", ["comes back", "is gone"])
def test_a_store_that_fails_after_the_answer_has_a_minute_to_come_back(
    store_url: str, fake_time: FakeTime, fate: str, caplog: pytest.LogCaptureFixture
) -> None:
    with cirqll(store_url) as crm, ExitStack() as later:
        engine = sql.create_engine(store_url)
        later.callback(engine.dispose)
        crm.sign_in()
        back: list[Callable[[], None]] = []
        crm.sandbox.before_token_request(lambda _: back.append(hide(engine)))
        if fate == "comes back":
            fake_time.at(fake_time.now + 50, lambda: [bring() for bring in back])
        keeper = crm.keeper(sleep=fake_time.sleep, clock=fake_time)
        if fate == "comes back":
            assert access_token(keeper) == access_token(crm.keeper())
        else:
            assert sentence_of(keeper).startswith(
                "New tokens came for the account default, and could not be saved: The store of "
            )
            assert 60 <= sum(fake_time.naps) < 62
        assert [one.outcome for one in crm.refreshes] == ["issued"]
    assert len([one for one in caplog.records if "does not take what" in one.getMessage()]) == 1


class Unconfirmed(TokenStore):
    """A store whose connection breaks when it has written a mark, and before it says so."""

    def begin_renewal(self, account: str, **named: Any) -> bool:
        super().begin_renewal(account, **named)
        sentence = "The connection to the store broke."
        raise Unavailable(sentence)


def test_a_mark_that_nobody_confirmed_is_taken_back_since_nothing_was_sent(crm: Cirqll) -> None:
    crm.sign_in()
    crm.stores.append(Store(crm.store_url))
    unconfirmed = Unconfirmed(crm.stores[-1], api_url=crm.url)
    assert sentence_of(crm.keeper(unconfirmed), Unavailable) == "The connection to the store broke."
    assert crm.refreshes == []
    assert crm.stored().mark == Mark()
    crm.keeper().token()
    assert [one.outcome for one in crm.refreshes] == ["issued"]


def test_what_may_be_spent_stays_so_where_a_mark_was_not_confirmed(crm: Cirqll) -> None:
    crm.sign_in()
    crm.sandbox.faults.add("lost-answer", path=TOKEN_URL, times=1)
    assert sentence_of(crm.keeper()).startswith(LOST_SENTENCE)
    crm.stores.append(Store(crm.store_url))
    unconfirmed = Unconfirmed(crm.stores[-1], api_url=crm.url)
    with pytest.raises(Unavailable):
        crm.keeper(unconfirmed).renew_now(even_if_spent=True)
    assert crm.stored().is_sent


def test_a_sign_in_during_a_renewal_wins(crm: Cirqll) -> None:
    crm.sign_in()
    newer = stored_pair(crm.sandbox.grant(), ages=(0, 30 * DAY))
    crm.sandbox.before_token_request(lambda _: crm.tokens().save("default", newer, crm.origin()))
    assert access_token(crm.keeper()) == newer.access_token
    assert crm.stored().pair == newer


def test_who_logs_out_during_a_renewal_stays_logged_out(crm: Cirqll) -> None:
    crm.sign_in()
    crm.sandbox.before_token_request(lambda _: crm.tokens().forget("default"))
    assert sentence_of(crm.keeper()).startswith("Nobody has signed in")
    assert crm.tokens().read("default") is None


# Processes that are stopped or interrupted


def wait_for_a_refresh(crm: Cirqll, *, answered: bool) -> None:
    deadline = time.monotonic() + 10
    while not crm.refreshes or (answered and crm.refreshes[-1].outcome is None):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_who_is_stopped_for_longer_than_its_lease_saves_what_it_got_when_it_wakes(
    crm: Cirqll, herd: Renewers
) -> None:
    crm.sign_in()
    crm.sandbox.faults.add("slow", path=TOKEN_URL, seconds=0.5, times=1)
    (pid,) = herd.start(crm.settings(), lease_seconds=1)
    wait_for_a_refresh(crm, answered=True)
    os.kill(pid, signal.SIGSTOP)
    assert sentence_of(crm.keeper()) == SPENT.format("the program that sent it ended first")
    os.kill(pid, signal.SIGCONT)
    (told,) = herd.outcomes()
    assert told["error"] == ""
    crm.keeper().token()
    assert [one.outcome for one in crm.refreshes] == ["issued"]


def test_ctrl_c_does_not_cost_the_tokens_that_are_on_their_way(crm: Cirqll, herd: Renewers) -> None:
    old = crm.sign_in()
    crm.sandbox.faults.add("slow", path=TOKEN_URL, seconds=0.5, times=1)
    (pid,) = herd.start(crm.settings())
    wait_for_a_refresh(crm, answered=True)
    os.kill(pid, signal.SIGINT)
    (told,) = herd.outcomes()
    assert told["error"] == "KeyboardInterrupt"
    assert access_token(crm.keeper()) != old.access_token
    assert [one.outcome for one in crm.refreshes] == ["issued"]


def test_a_mistake_of_our_own_while_it_is_on_its_way_counts_as_lost(crm: Cirqll) -> None:
    class Broken:
        def renew(self, _pair: TokenPair) -> TokenPair:
            raise ZeroDivisionError

        def close(self) -> None:
            """As a service does."""

    crm.sign_in()
    keeper = crm.keeper()
    keeper._service_for = lambda _stored: Broken()  # type: ignore[assignment, return-value] # as broken as can be
    with pytest.raises(ZeroDivisionError):
        keeper.token()
    assert sentence_of(crm.keeper()) == SPENT.format(
        "the program failed while it waited for the answer"
    )


# Ages


def test_a_token_is_renewed_when_half_of_its_life_is_over(crm: Cirqll, fake_time: FakeTime) -> None:
    tokens = crm.tokens(clock=fake_time)
    pair = aged(fake_time, crm.sandbox.grant(), days=0, left=30)
    tokens.save("default", pair, crm.origin())
    keeper = quick(crm, fake_time, tokens)
    assert access_token(keeper) == pair.access_token
    fake_time.sleep(15 * DAY - 1)
    assert access_token(keeper) == pair.access_token
    assert crm.refreshes == []
    fake_time.sleep(1)
    assert access_token(keeper) != pair.access_token
    assert len(crm.refreshes) == 1


def test_at_half_of_its_life_a_token_is_used_although_it_cannot_be_renewed(
    crm: Cirqll, fake_time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = crm.tokens(clock=fake_time)
    pair = aged(fake_time, crm.sandbox.grant(), days=-16, left=14)
    tokens.save("default", pair, crm.origin())
    keeper = quick(crm, fake_time, tokens, client_secret="wrong")
    for _ in range(3):
        assert access_token(keeper) == pair.access_token
        fake_time.sleep(61)
    (warning,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warning.startswith("Cirqll does not accept the OAuth client")
    assert fake_time.naps == [61] * 3
    fake_time.sleep(14 * DAY)
    assert sentence_of(keeper, SettingInvalid) == warning


def test_ages_are_told_by_the_clock_of_the_store(crm: Cirqll, fake_time: FakeTime) -> None:
    fake_time.now = 4_000_000_000.0
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    quick(crm, fake_time, tokens).token()
    pair = tokens.look("default").stored.pair
    assert pair
    assert pair.obtained_at == fake_time.now
    assert pair.expires_at == pytest.approx(fake_time.now + 30 * DAY, abs=2)


@pytest.mark.parametrize("seconds", [0, 0.001, -5])
def test_tokens_without_a_life_worth_the_name_are_not_renewed_again_and_again(
    crm: Cirqll, fake_time: FakeTime, seconds: float
) -> None:
    crm.sandbox.behaviour = replace(crm.sandbox.behaviour, access_token_seconds=seconds)
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    keeper = quick(crm, fake_time, tokens)
    for _ in range(20):
        keeper.token()
    assert len(crm.refreshes) == 1


def test_tokens_that_expire_on_their_way_are_used_before_others_are_asked_for(crm: Cirqll) -> None:
    crm.sandbox.behaviour = replace(crm.sandbox.behaviour, access_token_seconds=1)
    crm.sandbox.faults.add("slow", path=TOKEN_URL, seconds=1.2, times=1)
    crm.sign_in()
    crm.keeper().token()
    assert len(crm.refreshes) == 1


def test_a_clock_that_is_set_back_costs_one_renewal_at_most(
    crm: Cirqll, fake_time: FakeTime
) -> None:
    tokens = crm.tokens(clock=fake_time)
    tokens.save("default", aged(fake_time, crm.sandbox.grant()), crm.origin())
    access_token(quick(crm, fake_time, tokens))
    for seconds in (-3650 * DAY, 3650 * DAY, 7300 * DAY, -7300 * DAY):
        fake_time.now += seconds
        for _ in range(3):
            quick(crm, fake_time, tokens).token()
    assert len(crm.refreshes) <= 3
    assert set(crm.times_sent().values()) == {1}


# The refresh token of the settings


def test_a_seed_is_used_once_and_then_the_pair_it_brought(crm: Cirqll) -> None:
    seed = crm.sandbox.grant().refresh_token
    first = access_token(crm.keeper(refresh_token=seed))
    assert access_token(crm.keeper(refresh_token=seed)) == first
    assert len(crm.refreshes) == 1


def test_a_new_seed_comes_before_the_pair_of_the_store(crm: Cirqll) -> None:
    old = crm.sign_in(ages=(-DAY, 29 * DAY))
    seed = crm.sandbox.grant().refresh_token
    assert access_token(crm.keeper(refresh_token=seed)) != old.access_token
    assert crm.times_it_saw(seed) == 1


def test_a_seed_that_is_refused_falls_back_to_the_sign_in_with_one_warning(
    crm: Cirqll, caplog: pytest.LogCaptureFixture
) -> None:
    old = crm.sign_in(ages=(-DAY, 29 * DAY))
    for _ in range(2):
        assert access_token(crm.keeper(refresh_token="no-seed-of-ours")) == old.access_token
    (warning,) = [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING]
    assert warning.startswith("The setting refresh_token brought no tokens (")
    assert warning.endswith("those of the last sign-in are used. Remove the setting.")
    assert len(crm.refreshes) == 1


def test_an_old_seed_does_not_win_over_a_later_sign_in(crm: Cirqll) -> None:
    seed = crm.sandbox.grant().refresh_token
    crm.keeper(refresh_token=seed).token()
    signed_in = crm.sign_in(ages=(-DAY, 29 * DAY))
    assert access_token(crm.keeper(refresh_token=seed)) == signed_in.access_token
    assert crm.times_it_saw(seed) == 1


def test_a_seed_that_was_not_taken_may_be_offered_again(crm: Cirqll, fake_time: FakeTime) -> None:
    tokens = crm.tokens(clock=fake_time)
    seed = crm.sandbox.grant().refresh_token
    crm.sandbox.faults.add("429", path=TOKEN_URL, seconds=900, times=1)
    assert "Too Many Requests" in sentence_of(
        quick(crm, fake_time, tokens, refresh_token=seed), Unavailable
    )
    fake_time.sleep(61)
    quick(crm, fake_time, tokens, refresh_token=seed).token()
    assert [one.outcome for one in crm.refreshes] == ["not_carried_out", "issued"]


def test_a_seed_that_is_lost_on_its_way_says_so(crm: Cirqll) -> None:
    crm.sandbox.faults.add("lost-answer", path=TOKEN_URL, times=1)
    seed = crm.sandbox.grant().refresh_token
    for _ in range(2):
        assert sentence_of(crm.keeper(refresh_token=seed)) == SPENT.format("the connection broke")
    assert crm.times_it_saw(seed) == 1


def test_a_bad_seed_does_not_bring_a_spent_token_back(crm: Cirqll) -> None:
    old = crm.sign_in()
    crm.sandbox.faults.add("lost-answer", path=TOKEN_URL, times=1)
    for seed in (None, "no-seed-of-ours", None):
        assert sentence_of(crm.keeper(refresh_token=seed)).startswith(LOST_SENTENCE)
    assert crm.times_it_saw(old.refresh_token) == 1


def test_after_a_logout_a_seed_that_was_used_is_not_used_again(crm: Cirqll) -> None:
    seed = crm.sandbox.grant().refresh_token
    crm.keeper(refresh_token=seed).token()
    crm.tokens().forget("default")
    assert sentence_of(crm.keeper(refresh_token=seed)) == (
        "Nobody is signed in to Cirqll for the account default, and the setting refresh_token was "
        "used before: it is not used again. Sign in with `cirqll login`."
    )
    assert crm.times_it_saw(seed) == 1


# A person asks


def test_a_person_may_renew_what_is_not_due(crm: Cirqll) -> None:
    old = crm.sign_in(ages=(-DAY, 29 * DAY))
    assert crm.keeper().renew_now().access_token != old.access_token
    assert len(crm.refreshes) == 1


def test_a_person_may_send_again_what_may_be_spent(crm: Cirqll) -> None:
    crm.sign_in()
    crm.sandbox.faults.add("cut-before", path=TOKEN_URL, times=1)
    keeper = crm.keeper()
    assert sentence_of(keeper) == SPENT.format("the connection broke")
    with pytest.raises(SignInRequired):
        keeper.renew_now()
    assert len(crm.refreshes) == 1
    assert keeper.renew_now(even_if_spent=True).access_token
    assert len(crm.refreshes) == 2
    keeper.token()


@pytest.mark.parametrize("kind", ["429", "404"])
def test_what_is_sent_again_in_vain_stays_lost(crm: Cirqll, kind: str) -> None:
    old = crm.sign_in()
    crm.sandbox.faults.add("cut-before", path=TOKEN_URL, at=1)
    crm.sandbox.faults.add(kind, path=TOKEN_URL, at=2)
    assert sentence_of(crm.keeper()) == SPENT.format("the connection broke")
    with pytest.raises((Unavailable, SettingInvalid)):
        crm.keeper().renew_now(even_if_spent=True)
    assert sentence_of(crm.keeper()) == SPENT.format("it was sent before")
    assert crm.times_it_saw(old.refresh_token) == 2


def test_a_person_who_insists_waits_for_a_program_that_ended(crm: Cirqll, herd: Renewers) -> None:
    crm.sign_in()
    herd.run(crm.settings(), lease_seconds=0.5, kill_at="after the mark")
    assert crm.keeper().renew_now(even_if_spent=True).access_token
    assert len(crm.refreshes) == 1


def test_what_is_refused_is_not_sent_again_for_anybody(crm: Cirqll) -> None:
    crm.sign_in()
    crm.sandbox.expire_refresh_tokens()
    for _ in range(2):
        with pytest.raises(SignInRequired, match="no longer accepts"):
            crm.keeper().renew_now(even_if_spent=True)
    assert len(crm.refreshes) == 1


# What is said


def test_a_renewal_is_one_line_and_no_secret_is_anywhere(
    crm: Cirqll, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    old = crm.sign_in()
    keeper = crm.keeper()
    keeper.token()
    new = crm.stored().pair
    assert new
    (line,) = [one.getMessage() for one in caplog.records if one.name.startswith("cirqll_client")]
    assert line.startswith("Renewed the tokens of the account default; they last until 20")
    shown = caplog.text + repr([keeper, keeper.token(), keeper._held, crm.stored(), vars(keeper)])
    secrets = [old.access_token, old.refresh_token, *new.secrets(), crm.sandbox.client.secret]
    assert not [one for one in secrets if one in shown]


def test_the_end_of_a_sign_in_is_announced_once(
    crm: Cirqll, caplog: pytest.LogCaptureFixture
) -> None:
    crm.sign_in(ages=(-DAY, 29 * DAY), refresh_expires_at=time.time() + 13 * DAY)
    keeper = crm.keeper()
    for _ in range(3):
        keeper.token()
        keeper._held = None
    (line,) = [one.getMessage() for one in caplog.records]
    assert line.startswith("The sign-in of the account default ends about 20")
    assert line.endswith("renew it before with `cirqll login`.")


def test_a_lost_answer_that_leaves_the_access_token_is_one_warning(
    crm: Cirqll, caplog: pytest.LogCaptureFixture
) -> None:
    old = crm.sign_in(ages=(-16 * DAY, 14 * DAY))
    crm.sandbox.faults.add("cut-before", path=TOKEN_URL, times=1)
    keeper = crm.keeper()
    for _ in range(3):
        assert access_token(keeper) == old.access_token
        keeper._held = None
    assert [one.getMessage() for one in caplog.records] == [SPENT.format("the connection broke")]


def test_a_long_wait_for_another_process_is_announced_once_with_its_end(
    crm: Cirqll, fake_time: FakeTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tokens = crm.tokens(clock=fake_time)
    old = crm.sandbox.grant()
    tokens.save("default", aged(fake_time, old), crm.origin())
    version = tokens.look("default").stored.version
    assert tokens.begin_renewal(
        "default", version=version, refresh_token=old.refresh_token, by="other", seconds=135
    )
    heard: list[float] = []
    keeper = quick(crm, fake_time, tokens, on_wait=heard.append)
    assert sentence_of(keeper) == SPENT.format("the program that sent it ended first")
    (line,) = [one.getMessage() for one in caplog.records]
    assert line == (
        "Another process renews the tokens of the account default; waiting for it, 133 s at most."
    )
    assert heard == fake_time.naps
    assert sum(heard) == pytest.approx(135, abs=0.5)


def test_the_remedy_names_the_account(crm: Cirqll) -> None:
    assert (
        crm.keeper(account="second").remedy == "sign in again with `cirqll login --account second`"
    )
