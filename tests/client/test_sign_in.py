"""A sign-in from its beginning to tokens in the store, with a person who presses buttons."""

from __future__ import annotations

import base64
import logging
import threading
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.connection import connect, token_store
from cirqll_client.errors import CirqllError, SettingInvalid, SignInFailed, Unavailable
from cirqll_client.identity import Identity
from cirqll_client.settings import ConnectionSettings, SignInSettings
from cirqll_client.sign_in import SignedIn, SignIn
from cirqll_client.store import Store
from cirqll_sandbox import LUCA, Behaviour, Sandbox
from tests.sandbox.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cirqll_client.oauth import PendingSignIn
    from cirqll_client.token_life import StoredAccount

BACK = "http://127.0.0.1:8123/callback"
SCOPES = ("customer.read.all", "user.read.all")
FIRST = Identity("Sandbox", "Sandbox B.V.", "1")


@dataclass(frozen=True, slots=True)
class Desk:
    """A person at a browser, and a program that wants to sign in."""

    sandbox: Sandbox
    settings: ConnectionSettings
    store: Store

    def program(self, **options: Any) -> SignIn:
        return SignIn(self.settings, SignInSettings(**options), self.store)

    def pressed(self, pending: PendingSignIn, button: str = "allow", **form: str) -> str:
        """Where the browser is sent after a button was pressed."""
        browser = Browser(self.settings.api_url)
        with closing(browser.session):
            page = browser.session.get(pending.authorize_url, timeout=5, allow_redirects=False)
            if page.status_code == 302:
                return page.headers["Location"]
            return browser.press(button, page, **form).headers["Location"]

    def signed_in(
        self,
        *,
        scopes: tuple[str, ...] = SCOPES,
        user: str = "1",
        may_change_company: bool = False,
        **options: Any,
    ) -> SignedIn:
        with closing(self.program(**options)) as program:
            pending = program.begin(redirect_uri=BACK, scopes=scopes)
            back = self.pressed(pending, user=user)
            return program.finish(pending, back, may_change_company=may_change_company)

    def account(self, name: str = "default") -> StoredAccount | None:
        return token_store(self.settings, self.store).read(name)


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    sandbox = Sandbox(size=0, behaviour=Behaviour(rate_limit=0))
    with sandbox.running() as url, closing(Store(sqlite_url)) as store:
        settings = ConnectionSettings(
            api_url=url,
            client_id=sandbox.client.id,
            client_secret=sandbox.client.secret,
            store_url=sqlite_url,
            request_timeout=5,
            give_up_after=0,
        )
        yield Desk(sandbox, settings, store)


def outcomes(desk: Desk) -> list[str | None]:
    return [request.outcome for request in desk.sandbox.token_requests]


def test_a_sign_in_ends_with_tokens_in_the_store_that_can_be_used(desk: Desk) -> None:
    # When
    done = desk.signed_in()
    # Then
    assert (done.account, done.identity, done.missing_scopes) == ("default", FIRST, ())
    stored = desk.account()
    assert stored is not None
    assert stored.pair == done.pair
    assert stored.pair.scopes == frozenset(SCOPES)
    assert (stored.client_id, stored.token_url) == (
        "sandbox-client", f"{desk.settings.api_url}/oauth/token",
    )  # fmt: skip
    assert (stored.signed_in_as, stored.company_id) == ("Sandbox of Sandbox B.V.", "1")
    with closing(connect(desk.settings)) as connection:
        assert connection.client.me()["name"] == "Sandbox"


@pytest.mark.parametrize("has_pkce", [True, False])
def test_pkce_is_used_unless_it_is_switched_off(desk: Desk, *, has_pkce: bool) -> None:
    desk.signed_in(has_pkce=has_pkce)
    asked = desk.sandbox.authorize_requests[0].parameters
    assert ("code_challenge" in asked) is has_pkce
    assert asked.get("code_challenge_method") == ("S256" if has_pkce else None)
    assert outcomes(desk) == ["issued"]


def test_a_service_that_refuses_pkce_can_be_signed_in_to_without(desk: Desk) -> None:
    desk.sandbox.behaviour = replace(desk.sandbox.behaviour, pkce="refused")
    with pytest.raises(SignInFailed) as caught:
        desk.signed_in()
    assert caught.value.title == "Cirqll refused the sign-in"
    assert desk.signed_in(has_pkce=False).identity == FIRST


def test_whoever_did_not_begin_the_sign_in_cannot_end_it(desk: Desk) -> None:
    # Given a code that came into wrong hands
    with closing(desk.program()) as program:
        pending = program.begin(redirect_uri=BACK, scopes=SCOPES)
        back = desk.pressed(pending)
        thief = replace(pending, code_verifier="v" * 43)
        # When, then
        with pytest.raises(SignInFailed) as caught:
            program.finish(thief, back)
        assert caught.value.title == "The code is no longer good"
    assert desk.account() is None


def test_a_redirect_of_another_sign_in_is_not_even_sent(desk: Desk) -> None:
    with closing(desk.program()) as program:
        old = program.begin(redirect_uri=BACK, scopes=SCOPES)
        new = program.begin(redirect_uri=BACK, scopes=SCOPES)
        with pytest.raises(SignInFailed) as caught:
            program.finish(new, desk.pressed(old))
    assert caught.value.title == "This is not the sign-in that was started"
    assert outcomes(desk) == []


def test_a_denial_leaves_everything_as_it_was(desk: Desk) -> None:
    before = desk.signed_in().pair
    with closing(desk.program()) as program:
        pending = program.begin(redirect_uri=BACK, scopes=SCOPES)
        with pytest.raises(SignInFailed) as caught:
            program.finish(pending, desk.pressed(pending, "deny"))
    assert caught.value.title == "Access was denied"
    stored = desk.account()
    assert stored is not None
    assert stored.pair == before
    assert outcomes(desk) == ["issued"]


def test_a_code_that_comes_too_late_is_no_longer_good(desk: Desk) -> None:
    with closing(desk.program()) as program:
        pending = program.begin(redirect_uri=BACK, scopes=SCOPES)
        back = desk.pressed(pending)
        desk.sandbox.clock.move(601)
        with pytest.raises(SignInFailed) as caught:
            program.finish(pending, back)
    assert "Authorization code has expired" in caught.value.sentence
    assert desk.account() is None


def test_a_code_is_good_for_one_use(desk: Desk) -> None:
    with closing(desk.program()) as program:
        pending = program.begin(redirect_uri=BACK, scopes=SCOPES)
        back = desk.pressed(pending)
        program.finish(pending, back)
        with pytest.raises(SignInFailed) as caught:
            program.finish(pending, back)
    assert caught.value.title == "The code is no longer good"


def test_scopes_that_the_user_cannot_give_are_named(desk: Desk) -> None:
    desk.sandbox.behaviour = replace(desk.sandbox.behaviour, withheld_scopes=("customer.read.all",))
    done = desk.signed_in()
    assert done.missing_scopes == ("customer.read.all",)
    assert done.pair.scopes == frozenset({"user.read.all"})


def test_scopes_that_nobody_tells_are_not_said_to_be_missing(desk: Desk) -> None:
    desk.sandbox.behaviour = replace(desk.sandbox.behaviour, access_tokens="opaque")
    done = desk.signed_in()
    assert (done.pair.scopes, done.missing_scopes) == (None, ())


def test_a_scope_that_is_not_known_ends_the_sign_in(desk: Desk) -> None:
    with pytest.raises(SignInFailed) as caught:
        desk.signed_in(scopes=("nonsense",))
    assert caught.value.title == "A scope is not known"


# Companies


def test_an_account_is_not_given_another_company_s_tokens(desk: Desk) -> None:
    # Given
    noor = desk.sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    before = desk.signed_in().pair
    # When
    with pytest.raises(SignInFailed) as caught:
        desk.signed_in(user=str(noor.user_id))
    # Then
    assert (caught.value.title, caught.value.sentence) == (
        "This is another company",
        (
            "The account default belongs to Sandbox of Sandbox B.V., and Noor Zandwijker of "
            "Verzonnen Zaken B.V. is of another company: their data would be mixed. Nothing was "
            "changed. Sign in as the same company, or give this one an account of its own."
        ),
    )
    stored = desk.account()
    assert stored is not None
    assert stored.pair == before


def test_a_company_may_be_changed_on_purpose_or_have_an_account_of_its_own(desk: Desk) -> None:
    noor = desk.sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    desk.signed_in()
    other = replace(desk, settings=replace(desk.settings, account="noor"))
    assert str(other.signed_in(user=str(noor.user_id)).identity).startswith("Noor Zandwijker of")
    changed = desk.signed_in(user=str(noor.user_id), may_change_company=True)
    stored = desk.account()
    assert stored is not None
    assert stored.pair == changed.pair
    assert stored.company_id == str(noor.company_id)


def test_a_colleague_may_sign_in_again_for_the_same_company(desk: Desk) -> None:
    company = "Verzonnen Zaken B.V."
    noor = desk.sandbox.add_account("Noor Zandwijker", company=company)
    bram = desk.sandbox.add_account("Bram Kuiper", company=company)
    desk.signed_in(user=str(noor.user_id))
    desk.signed_in(user=str(bram.user_id))
    stored = desk.account()
    assert stored is not None
    assert stored.signed_in_as == "Bram Kuiper of Verzonnen Zaken B.V."


def test_another_company_is_noticed_also_if_it_signed_in_meanwhile(desk: Desk) -> None:
    # Given a sign-in that waits for its person
    noor = desk.sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    with closing(desk.program()) as program:
        pending = program.begin(redirect_uri=BACK, scopes=SCOPES)
        # When another process signs in first
        desk.signed_in()
        # Then
        with pytest.raises(SignInFailed) as caught:
            program.finish(pending, desk.pressed(pending, user=str(noor.user_id)))
    assert caught.value.title == "This is another company"


@pytest.mark.parametrize("fault", ["403", "500", "404", "html-200", "cut-before"])
def test_a_sign_in_is_good_also_where_nobody_tells_whose_it_is(
    desk: Desk, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    # When
    desk.sandbox.faults.add(fault, path="/api/")
    done = desk.signed_in()
    # Then
    assert done.identity is None
    stored = desk.account()
    assert stored is not None
    assert stored.pair == done.pair
    assert (stored.signed_in_as, stored.company_id) == (None, None)
    (record,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert record.getMessage().startswith("Who signed in could not be found out: ")
    assert str(done.pair.access_token) not in caplog.text


def test_where_nobody_tells_whose_it_is_the_tokens_of_a_company_stay(desk: Desk) -> None:
    # Given an account of a company
    before = desk.signed_in().pair
    desk.sandbox.faults.add("403", path="/api/")
    # When
    with pytest.raises(SignInFailed) as caught:
        desk.signed_in()
    # Then
    stored = desk.account()
    assert stored is not None
    assert (stored.pair, stored.company_id) == (before, "1")
    assert caught.value.kind == "unknown_company"
    assert caught.value.sentence == (
        "The account default belongs to Sandbox of Sandbox B.V., and Cirqll did not say whose the "
        "new tokens are: the data of two companies might be mixed. Nothing was changed. Sign in "
        "again later, with the scope user.read.all."
    )


def test_a_sign_in_counts_the_age_of_its_tokens_from_before_they_were_made(desk: Desk) -> None:
    # Given a Cirqll that takes its time to tell who signed in
    desk.sandbox.faults.add("slow", path="/api/", seconds=1.0)
    began = desk.store.now()
    # When
    done = desk.signed_in()
    # Then
    assert desk.store.now() - began > 1
    assert done.pair.obtained_at - began < 1


def test_a_store_that_fails_after_the_consent_may_come_back(desk: Desk) -> None:
    # Given
    def run(statement: str) -> None:
        with desk.store.transaction() as connection:
            connection.exec_driver_sql(statement)

    back = threading.Timer(0.5, run, ["drop trigger full"])

    def fail_for_a_moment(_: object) -> None:
        run("create trigger full before update on accounts begin select raise(abort, ''); end")
        back.start()

    desk.sandbox.before_token_request(fail_for_a_moment)
    # When
    done = desk.signed_in()
    back.join()
    # Then
    stored = desk.account()
    assert stored is not None
    assert stored.pair == done.pair


# Other services and mishaps


def test_a_service_of_another_make_is_signed_in_to_by_settings(desk: Desk) -> None:
    # Given Luca's habits, with the URLs given one by one
    desk.sandbox.behaviour = replace(LUCA, rate_limit=0)
    url = desk.settings.api_url
    luca = replace(desk, settings=replace(desk.settings, token_url=f"{url}/oauth/token"))
    # When
    done = luca.signed_in(
        scopes=("accounting",),
        authorize_url=f"{url}/oauth/authorize?locale=nb",
        authorize_parameters={"organisation_number": "999"},
    )
    # Then
    assert (done.pair.scopes, done.missing_scopes) == (frozenset({"accounting"}), ())
    assert done.pair.expires_at == pytest.approx(done.pair.obtained_at + 3600)
    asked = desk.sandbox.authorize_requests[0].parameters
    assert (asked["locale"], asked["organisation_number"]) == ("nb", "999")


def test_a_token_service_that_fails_costs_nothing_that_was_there(desk: Desk) -> None:
    before = desk.signed_in().pair
    desk.sandbox.faults.add("500", path="/oauth/token")
    with pytest.raises(Unavailable):
        desk.signed_in()
    stored = desk.account()
    assert stored is not None
    assert stored.pair == before


@pytest.mark.parametrize(
    ("wrong", "options", "start"),
    [
        ({"client_id": None}, {}, "Signing in takes the OAuth client: make one in Cirqll under"),
        ({"client_id": ""}, {}, "Signing in takes the OAuth client"),
        ({}, {"authorize_url": "http://evil.example/a"}, "The setting authorize_url must be a URL"),
        ({"token_url": "http://evil.example/t"}, {}, "The setting token_url must be a URL with"),
    ],
    ids=repr,
)
def test_a_setting_that_cannot_be_right_is_told_before_a_browser_opens(
    desk: Desk, wrong: dict[str, Any], options: dict[str, Any], start: str
) -> None:
    filters = list(logging.getLogger("urllib3.connection").filters)
    other = replace(desk, settings=replace(desk.settings, **wrong))
    with pytest.raises(SettingInvalid) as caught:
        other.program(**options)
    assert caught.value.sentence.startswith(start)
    assert logging.getLogger("urllib3.connection").filters == filters


def test_tokens_that_another_key_encrypted_are_told_before_a_browser_opens(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIRQLL_STORE_KEY", base64.urlsafe_b64encode(b"1" * 32).decode())
    desk.signed_in()
    monkeypatch.setenv("CIRQLL_STORE_KEY", base64.urlsafe_b64encode(b"2" * 32).decode())
    with pytest.raises(SettingInvalid) as caught:
        desk.program()
    assert "another key" in caught.value.sentence


def test_a_sign_in_ends_without_a_secret_in_any_word(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with closing(desk.program()) as program:
        pending = program.begin(redirect_uri=BACK, scopes=SCOPES)
        back = desk.pressed(pending)
        done = program.finish(pending, back)
        with pytest.raises(CirqllError) as caught:
            program.finish(pending, back)
    code = back.partition("code=")[2].partition("&")[0]
    secrets = [
        *done.pair.secrets(),
        str(pending.code_verifier),
        code,
        str(desk.settings.client_secret),
    ]
    ours = [record for record in caplog.records if "/oauth/authorize" not in record.getMessage()]
    said = "\n".join(
        [caught.value.sentence, repr((done, pending, program))]
        + [f"{record.getMessage()} {vars(record)}" for record in ours]
    )
    assert not [secret for secret in secrets if secret in said]


def test_a_root_that_ends_with_api_is_refused_before_anything_is_opened(desk: Desk) -> None:
    settings = replace(desk.settings, api_url=f"{desk.settings.api_url}/api")
    with pytest.raises(SettingInvalid, match=r"api_url is the root of the API, without /api"):
        SignIn(settings, SignInSettings(), desk.store)
