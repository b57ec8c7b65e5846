"""What is done with tokens, in every state that they can be in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cirqll_client.token_life import (
    LOOK_AGAIN_SECONDS,
    Mark,
    Renew,
    SignIn,
    StoredAccount,
    Use,
    Wait,
    mark_in_force,
    next_step,
    nobody_signed_in,
    of_its_end,
    remedy,
    told_by,
    usable_until,
    used_at_once,
)
from cirqll_client.tokens import TokenPair, fingerprint

if TYPE_CHECKING:
    from cirqll_client.token_life import Step

DAY = 86_400.0
NOW = 1_750_000_000.0
MOMENTS = st.one_of(
    st.sampled_from([0.0, NOW - 1, NOW, NOW + 1, NOW + 135, NOW + DAY, NOW + 400 * DAY]),
    st.floats(NOW - 100 * DAY, NOW + 100 * DAY),
)
PAIRS = st.builds(
    TokenPair,
    access_token=st.sampled_from([None, "access"]),
    refresh_token=st.sampled_from([None, "refresh"]),
    obtained_at=MOMENTS,
    expires_at=st.none() | MOMENTS.filter(bool),
    refresh_expires_at=st.none() | MOMENTS,
    is_reusable=st.booleans(),
)
MARKS = st.builds(
    Mark,
    state=st.sampled_from(["ready", "sent", "lost", "refused"]),
    until=MOMENTS,
    words=st.just("words"),
    token=st.sampled_from(["", fingerprint("refresh"), fingerprint("another")]),
)
STORED = st.builds(
    StoredAccount,
    account=st.sampled_from(["default", "second"]),
    version=st.just(1),
    pair=st.none() | PAIRS,
    is_sent=st.booleans(),
    mark=MARKS,
)
QUESTIONS = st.fixed_dictionaries(
    {
        "now": MOMENTS,
        "refused": st.sampled_from([None, "access", "older"]),
        "seed": st.sampled_from([None, "seed"]),
        "has_used_seed": st.booleans(),
    }
)


def pair(**facts: object) -> TokenPair:
    """A pair that is due, and whose access token is good for another day."""
    given = TokenPair("access", "refresh", obtained_at=NOW - 29 * DAY, expires_at=NOW + DAY)
    return replace(given, **facts)  # type: ignore[arg-type] # the facts are TokenPair's own


def stored(mark: Mark = Mark(), **facts: object) -> StoredAccount:  # noqa: B008 - a value
    return StoredAccount("default", version=1, pair=pair(**facts), mark=mark)


def own(state: str, **facts: object) -> Mark:
    """A mark of the pair's own refresh token."""
    given = Mark(state, token=fingerprint("refresh"), words="words")  # type: ignore[arg-type] # one of them
    return replace(given, **facts)  # type: ignore[arg-type] # Mark's own


def is_own_renewal(step: Step) -> bool:
    return isinstance(step, Renew) and step.pair.refresh_token == "refresh"


@given(STORED, QUESTIONS)
def test_a_token_that_may_be_spent_is_never_sent_again(
    account: StoredAccount, question: dict[str, object]
) -> None:
    mark, of = account.mark, account.pair
    is_own = mark.token == fingerprint("refresh")
    is_spent = account.is_sent or (mark.state in {"sent", "lost"} and is_own)
    is_refused = mark.state == "refused" and is_own
    step = next_step(account, **question)  # type: ignore[arg-type] # its own parameters
    if of is not None and is_own_renewal(step):
        assert not is_refused
        assert of.is_reusable or not is_spent


@given(STORED, QUESTIONS)
def test_a_usable_access_token_is_used_or_renewed_and_never_waited_for(
    account: StoredAccount, question: dict[str, object]
) -> None:
    now, of = float(str(question["now"])), account.pair
    is_good = of is not None and of.is_usable(now=now) and question["refused"] != of.access_token
    step = next_step(account, **question)  # type: ignore[arg-type] # its own parameters
    if is_good:
        assert isinstance(step, Use | Renew)
    if isinstance(step, Use):
        assert is_good
        assert of is step.pair
        assert now < step.look_again_at <= usable_until(step.pair)


@given(STORED, QUESTIONS)
def test_a_wait_has_an_end_and_a_sign_in_is_named(
    account: StoredAccount, question: dict[str, object]
) -> None:
    now = float(str(question["now"]))
    step = next_step(account, **question)  # type: ignore[arg-type] # its own parameters
    if isinstance(step, Wait):
        assert now < step.until < now + DAY
    if isinstance(step, SignIn):
        assert f"`{remedy(account.account)}`" in step.sentence


@given(STORED, QUESTIONS)
def test_while_a_token_is_on_its_way_nothing_else_is_sent(
    account: StoredAccount, question: dict[str, object]
) -> None:
    now = float(str(question["now"]))
    if account.mark.state == "sent" and now < account.mark.until < now + DAY:
        step = next_step(account, **question)  # type: ignore[arg-type] # its own parameters
        assert not isinstance(step, Renew | SignIn) or step == SignIn(
            "The access token of the account "
            f"{account.account} is no longer accepted, and there is no refresh token to renew it "
            f"with: run `{remedy(account.account)}`."
        )


@given(STORED, MOMENTS, MOMENTS)
def test_what_is_refused_stays_refused_and_what_is_spent_stays_spent(
    account: StoredAccount, one: float, other: float
) -> None:
    earlier, later = sorted([one, other])
    before, after = (mark_in_force(account, now=now).state for now in (earlier, later))
    if before == "refused":
        assert after == "refused"
    if before == "lost":
        # A clock that was set back may take a lease for one that is still running.
        assert after in {"lost", "sent"}


def test_a_token_is_used_up_to_half_of_its_life_and_renewed_then() -> None:
    young = replace(pair(), obtained_at=NOW, expires_at=NOW + 30 * DAY)
    account = StoredAccount("default", version=1, pair=young)
    half = NOW + 15 * DAY
    assert next_step(account, now=half - 1) == Use(young, half)
    assert next_step(account, now=half) == Renew(young)


def test_a_token_whose_end_nobody_knows_is_renewed_after_half_a_month() -> None:
    one = pair(expires_at=None, obtained_at=NOW)
    account = StoredAccount("default", version=1, pair=one)
    assert next_step(account, now=NOW + 15 * DAY - 1) == Use(one, NOW + 15 * DAY)
    assert next_step(account, now=NOW + 15 * DAY) == Renew(one)


@pytest.mark.parametrize("mark", [own("lost"), own("refused"), own("sent", until=NOW - 1)])
def test_with_a_spent_refresh_token_the_access_token_is_used_to_its_end(mark: Mark) -> None:
    step = next_step(stored(mark), now=NOW)
    assert isinstance(step, Use)
    assert step.look_again_at == NOW + LOOK_AGAIN_SECONDS
    assert step.warning.endswith("Sign in again with `cirqll login`.")
    assert isinstance(next_step(stored(mark), now=NOW + DAY), SignIn)
    assert isinstance(next_step(stored(mark), now=NOW, refused="access"), SignIn)


def test_while_another_renews_a_good_token_is_used_and_a_bad_one_waited_for() -> None:
    account = stored(own("sent", until=NOW + 100))
    assert next_step(account, now=NOW) == Use(pair(), NOW + 100)
    assert next_step(account, now=NOW, refused="access") == Wait(NOW + 100, "words")


def test_a_service_that_is_down_is_left_alone_until_its_time() -> None:
    account = stored(Mark("ready", until=NOW + 60, words="429"))
    assert next_step(account, now=NOW) == Use(pair(), NOW + 60)
    assert next_step(account, now=NOW, refused="access") == Wait(NOW + 60, "429")
    assert next_step(account, now=NOW + 60) == Renew(pair())


def test_a_lost_answer_does_no_harm_to_a_token_that_is_given_back_each_time() -> None:
    account = replace(stored(own("lost"), is_reusable=True), is_sent=True)
    assert next_step(account, now=NOW) == Renew(pair(is_reusable=True))


def test_a_seed_comes_before_the_pair_of_the_store() -> None:
    seed = Renew(TokenPair(None, "seed", obtained_at=NOW))
    for mark in (Mark(), own("lost"), own("refused")):
        assert next_step(stored(mark), now=NOW, seed="seed") == seed
    assert next_step(StoredAccount("default", version=0), now=NOW, seed="seed") == seed


def test_a_seed_waits_while_the_service_is_down_and_is_thought_of_when_it_is_not() -> None:
    young = replace(pair(), obtained_at=NOW, expires_at=NOW + 30 * DAY)
    account = StoredAccount("default", 1, young, mark=Mark("ready", until=NOW + 60))
    assert next_step(account, now=NOW, seed="seed") == Use(young, NOW + 60)


@pytest.mark.parametrize("mark", [Mark(), Mark("lost", token=fingerprint("seed"))])
def test_a_seed_that_fails_does_not_hide_that_the_pair_is_spent(mark: Mark) -> None:
    account = replace(stored(mark), is_sent=True)
    assert mark_in_force(account, now=NOW).state == "lost"
    assert isinstance(next_step(account, now=NOW, refused="access"), SignIn)


def test_where_nobody_signed_in_that_is_said_with_what_was_given() -> None:
    nobody = StoredAccount("second", version=0)
    assert next_step(nobody, now=NOW) == SignIn(nobody_signed_in("second"))
    assert next_step(nobody, now=NOW, has_used_seed=True) == SignIn(
        "Nobody is signed in to Cirqll for the account second, and the setting refresh_token was "
        "used before: it is not used again. Sign in with `cirqll login --account second`."
    )


def test_a_lease_that_a_wrong_clock_wrote_is_not_waited_for() -> None:
    account = stored(own("sent", until=NOW + 2 * DAY))
    assert mark_in_force(account, now=NOW).state == "lost"


def test_a_new_pair_tells_its_ages_by_the_clock_of_the_store() -> None:
    told = TokenPair("a", "r", obtained_at=100.0, expires_at=3700.0, refresh_expires_at=9100.0)
    by_store = told_by(told, now=NOW)
    assert by_store == TokenPair(
        "a", "r", obtained_at=NOW, expires_at=NOW + 3600, refresh_expires_at=NOW + 9000
    )
    forever = replace(told, expires_at=None, refresh_expires_at=None)
    assert told_by(forever, now=NOW) == replace(forever, obtained_at=NOW)


def test_a_life_of_nothing_is_not_believed() -> None:
    assert told_by(TokenPair("a", "r", 100.0, expires_at=100.0), now=NOW).expires_at is None


def test_a_new_pair_is_used_at_once_however_short_its_life() -> None:
    short = TokenPair("a", "r", obtained_at=NOW, expires_at=NOW + 0.01)
    assert used_at_once(short) == Use(short, NOW + 1)
    long = replace(short, expires_at=NOW + DAY)
    assert used_at_once(long) == Use(long, NOW + DAY / 2)


def test_the_end_of_a_sign_in_is_announced_two_weeks_before() -> None:
    end = pair(refresh_expires_at=NOW + 14 * DAY)
    assert of_its_end("default", end, now=NOW) == ""
    assert of_its_end("default", end, now=NOW + 1) == (
        "The sign-in of the account default ends about 2025-06-29 15:06 UTC; renew it before with "
        "`cirqll login`."
    )
    assert of_its_end("default", replace(end, refresh_token=None), now=NOW + 1) == ""
    assert "calendar" in of_its_end("default", replace(end, refresh_expires_at=-1e18), now=NOW)
