"""The command `cirqll tokens revoke`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from cirqll_client.cli.tokens.revocation import spend
from cirqll_client.errors import Unavailable
from cirqll_client.redaction import Redaction
from cirqll_client.settings import ConnectionSettings
from cirqll_sandbox.token_services import LUCA_OPTIONS
from tests.client.raw_server import RawServer, answer, serving
from tests.client.token_desk import UTC_MINUTE, Desk, alone, state

if TYPE_CHECKING:
    import socket


def test_revoke_spends_the_tokens_and_keeps_none(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    # When
    done = desk.run("tokens", "revoke", "--yes")
    # Then
    assert done.exit_code == 0
    assert done.stdout == (
        "Renewed the tokens of the account default once, which makes the old ones worthless, and "
        "threw the new ones away: nobody holds them. Cirqll was asked, and takes the access token "
        "no longer.\nThe account default is no longer in the store. To end all that the client may "
        "do, remove the client in Cirqll under Settings > Marketplace.\n"
    )
    old = desk.run("whoami", CIRQLL_ACCESS_TOKEN=pair.access_token)
    assert "did not accept the access token" in old.stderr
    assert [one.outcome for one in desk.sandbox.token_requests] == ["issued"]
    assert desk.stored() is None


def test_revoke_wants_a_yes_where_nobody_can_be_asked(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    # When
    done = desk.run("tokens", "revoke")
    # Then
    assert done.exit_code == 2
    assert "Revoking cannot be undone: say --yes" in done.stderr
    assert desk.is_accepted(pair.access_token)


def test_revoke_of_an_account_that_is_not_there_is_a_failure(desk: Desk) -> None:
    done = desk.run("tokens", "revoke", "--yes", "--account", "bakkery")
    assert done.exit_code == 1
    assert (
        f"The store holds no account bakkery of {desk.url}, so nothing was revoked" in done.stderr
    )


def test_revoke_of_an_account_without_tokens_removes_it(desk: Desk) -> None:
    desk.run("tokens", "import", given="{}")
    done = desk.run("tokens", "revoke", "--yes")
    assert done.exit_code == 0
    assert "had no tokens to revoke" in done.stdout
    assert desk.stored() is None


def test_revoke_sees_tokens_that_are_dead_already(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    desk.sandbox.revoke(pair.refresh_token)
    # When
    done = desk.run("tokens", "revoke", "--yes")
    # Then
    assert done.exit_code == 0
    assert "Cirqll did not accept the refresh token any more" in done.stdout
    assert "takes the access token no longer" in done.stdout
    assert desk.stored() is None


def test_revoke_does_not_claim_what_it_cannot_see(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    desk.sandbox.expire_refresh_tokens()
    # When
    done = desk.run("tokens", "revoke", "--yes")
    # Then
    assert done.exit_code == 1
    assert re.search(
        rf"still takes the access token; it expires {UTC_MINUTE}. The account is still in the "
        "store. To end everything now, remove the client in Cirqll",
        done.stderr,
    )
    assert desk.is_accepted(pair.access_token)
    assert state(desk)[0] == "refused"


@pytest.mark.parametrize(
    ("fault", "is_done"), [("lost-answer", True), ("html-200", False), ("cut-before", False)]
)
def test_revoke_asks_whether_a_lost_answer_did_its_work(
    desk: Desk, *, fault: str, is_done: bool
) -> None:
    # Given
    desk.bring()
    desk.sandbox.faults.add(fault, path="/oauth/token")
    # When
    done = desk.run("tokens", "revoke", "--yes")
    # Then
    assert done.exit_code == (0 if is_done else 1)
    assert "was sent to be spent, and no answer came back" in done.output
    assert (desk.stored() is None) is is_done
    if not is_done:
        assert state(desk)[0] == "lost"


def test_revoke_can_be_tried_again_after_a_lost_answer(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    desk.sandbox.faults.add("cut-before", path="/oauth/token", times=1)
    assert desk.run("tokens", "revoke", "--yes").exit_code == 1
    # When
    done = desk.run("tokens", "revoke", "--yes")
    # Then
    assert done.exit_code == 0
    assert not desk.is_accepted(pair.access_token)


def test_revoke_says_that_it_could_not_ask(desk: Desk) -> None:
    # Given
    desk.bring()
    desk.sandbox.faults.add("503", path="/api/")
    # When
    done = desk.run("tokens", "revoke", "--yes")
    # Then
    assert done.exit_code == 0
    assert (
        "Whether Cirqll still takes the access token could not be asked; it expires" in done.stdout
    )


def test_revoke_leaves_everything_as_it_was_if_nothing_was_taken(desk: Desk) -> None:
    # Given
    desk.bring()
    before = desk.pair()
    desk.sandbox.faults.add("429", path="/oauth/token", times=1)
    # When
    later = desk.run("tokens", "revoke", "--yes")
    wrong = desk.run("tokens", "revoke", "--yes", CIRQLL_CLIENT_SECRET="wrong-secret")
    # Then
    assert later.exit_code == wrong.exit_code == 1
    assert "They are still in the store: run again later." in later.stderr
    assert "check the settings client_id and client_secret" in wrong.stderr
    assert desk.pair() == before
    assert state(desk)[0] == "good"


def test_revoke_waits_for_no_other_program(desk: Desk) -> None:
    desk.bring()
    desk.lose(state="sent")
    done = desk.run("tokens", "revoke", "--yes")
    assert done.exit_code == 1
    assert "Another program is renewing the tokens of the account default" in done.stderr
    assert not desk.sandbox.token_requests


def test_revoke_says_that_a_service_that_does_not_rotate_has_no_way(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    desk.sandbox.behaviour = replace(desk.sandbox.behaviour, **LUCA_OPTIONS)
    # When
    done = [desk.run("tokens", "revoke", "--yes") for _ in range(2)]
    # Then
    for one in done:
        assert one.exit_code == 1
        assert "gives the same refresh token again, so renewing does not end it" in one.stderr
    assert len(desk.sandbox.token_requests) == 1
    assert desk.pair().refresh_token == pair.refresh_token
    assert desk.run("whoami").exit_code == 0


def test_revoke_of_a_lone_access_token_says_that_there_is_no_way(desk: Desk) -> None:
    desk.run("tokens", "import", given=alone(desk.sandbox.grant()))
    done = desk.run("tokens", "revoke", "--yes")
    assert done.exit_code == 1
    assert "there is no refresh token to spend, and no setting revoke_url" in done.stderr
    assert desk.stored()


def revoking(desk: Desk, server: RawServer) -> Any:
    """A reply that does what RFC 7009 says."""

    def reply(connection: socket.socket) -> None:
        form = server.received[-1].partition(b"\r\n\r\n")[2].decode()
        token = re.search("token=([^&]+)", form)
        assert token
        desk.sandbox.revoke(token[1])
        connection.sendall(answer(200, "{}", "Connection: close"))

    return reply


def test_revoke_uses_the_revocation_url_where_there_is_one(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    with serving(b"") as server:
        server.replies[:] = [revoking(desk, server)]
        # When
        done = desk.run("tokens", "revoke", "--yes", CIRQLL_REVOKE_URL=f"{server.url}/revoke")
    # Then
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(
        "Revoked the tokens of the account default. Cirqll was asked, and takes the access token "
        "no longer.\n"
    )
    hints = [re.findall(rb"token_type_hint=(\w+)", one) for one in server.received]
    assert hints == [[b"refresh_token"], [b"access_token"]]
    assert pair.refresh_token.encode() in server.received[0]
    assert not desk.sandbox.token_requests
    assert desk.stored() is None


def test_a_revocation_that_does_not_hold_is_told(desk: Desk) -> None:
    # Given
    desk.bring()
    # When
    with serving(answer(200, "")) as server:
        done = desk.run("tokens", "revoke", "--yes", CIRQLL_REVOKE_URL=server.url)
    # Then
    assert done.exit_code == 1
    assert "Cirqll was asked, and still takes the access token; it expires 20" in done.stderr
    assert "The account is no longer in the store." in done.stderr


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (answer(503, ""), "could not be revoked (status 503). They are still in the store"),
        (answer(404, ""), "check the settings revoke_url, client_id and client_secret"),
        (answer(401, '{"error": "invalid_client"}'), 'the service said "invalid_client"'),
        (b"", "They are still in the store: run again later."),
    ],
)
def test_a_revocation_that_fails_leaves_the_account(
    desk: Desk, reply: bytes, sentence: str
) -> None:
    # Given
    desk.bring()
    # When
    with serving(reply or (lambda _connection: None)) as server:
        done = desk.run("tokens", "revoke", "--yes", CIRQLL_REVOKE_URL=server.url)
    # Then
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert desk.stored()


def test_a_service_need_not_revoke_access_tokens(desk: Desk) -> None:
    # Given
    pair = desk.bring()
    unsupported = answer(400, '{"error": "unsupported_token_type"}')
    desk.sandbox.revoke(pair.access_token)
    # When
    with serving(answer(200, ""), unsupported) as server:
        done = desk.run("tokens", "revoke", "--yes", CIRQLL_REVOKE_URL=server.url)
    # Then
    assert done.exit_code == 0


def test_tokens_go_to_no_revocation_url_without_tls(desk: Desk) -> None:
    desk.bring()
    done = desk.run("tokens", "revoke", "--yes", CIRQLL_REVOKE_URL="http://crm.example/revoke")
    assert done.exit_code == 1
    assert "The setting revoke_url must be a URL with https" in done.stderr
    assert desk.stored()


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_a_lone_token_is_revoked_at_the_revocation_url(desk: Desk, kind: str) -> None:
    # Given
    pair = desk.sandbox.grant()
    name = {"refresh_token": "RefreshToken", "access_token": "AccessToken"}[kind]
    given = json.dumps({name: getattr(pair, kind)})
    assert desk.run("tokens", "import", given=given).exit_code == 0
    with serving(b"") as server:
        server.replies[:] = [revoking(desk, server)]
        # When
        done = desk.run("tokens", "revoke", "--yes", CIRQLL_REVOKE_URL=server.url)
    # Then
    assert done.exit_code == 0
    assert [f"token_type_hint={kind}".encode() in one for one in server.received] == [True]
    assert not desk.is_accepted(pair.access_token)


def test_a_refresh_token_alone_is_spent(desk: Desk) -> None:
    # Given
    pair = desk.sandbox.grant()
    desk.run("tokens", "import", given=json.dumps({"RefreshToken": pair.refresh_token}))
    # When
    done = desk.run("tokens", "revoke", "--yes")
    # Then
    assert done.exit_code == 0
    assert "Cirqll was asked" not in done.stdout
    assert not desk.is_accepted(pair.access_token)


def test_a_token_that_may_not_ask_who_it_is_counts_as_accepted(desk: Desk) -> None:
    # Given
    desk.bring()
    desk.sandbox.faults.add("403", path="/api/")
    # When
    done = desk.run("tokens", "revoke", "--yes")
    # Then
    assert done.exit_code == 1
    assert "still takes the access token" in done.stderr


def test_a_lost_renewal_stays_lost_if_its_token_could_not_be_spent(desk: Desk) -> None:
    # Given
    desk.bring()
    desk.lose()
    # When
    done = desk.run("tokens", "revoke", "--yes", CIRQLL_CLIENT_SECRET="wrong-secret")
    # Then
    assert done.exit_code == 1
    assert state(desk)[0] == "lost"


def test_tokens_that_somebody_renews_meanwhile_are_not_spent(desk: Desk) -> None:
    # Given
    desk.bring()
    stored = desk.stored()
    assert stored
    desk.run("tokens", "refresh")
    settings = ConnectionSettings(api_url=desk.url, client_id=desk.sandbox.client.id)
    # When
    with (
        desk.tokens() as tokens,
        pytest.raises(Unavailable, match="Another program is renewing the tokens"),
    ):
        spend(stored, tokens, settings, redact=Redaction())
    # Then
    assert len(desk.sandbox.token_requests) == 1
    assert desk.is_accepted(desk.pair().access_token)


def test_tokens_that_come_while_the_old_ones_are_revoked_are_not_lost(desk: Desk) -> None:
    # Given
    desk.bring()

    def sign_in_meanwhile(connection: socket.socket) -> None:
        desk.put()
        connection.sendall(answer(200, "", "Connection: close"))

    # When
    with serving(sign_in_meanwhile) as server:
        done = desk.run("tokens", "revoke", "--yes", CIRQLL_REVOKE_URL=server.url)
    # Then
    assert done.exit_code == 1
    assert "got new tokens while its old ones were revoked" in done.stderr
    assert desk.pair().access_token == "A" * 40
