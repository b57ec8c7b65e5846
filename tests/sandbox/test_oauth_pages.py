"""The pages that a person sees: in plain words, safe, and the same for a screen reader."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.browser import told
from tests.sandbox.program import REDIRECT_URI, Program

if TYPE_CHECKING:
    from cirqll_sandbox import Sandbox
    from tests.sandbox.conftest import Client


class _Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_it_tells_who_is_signed_in_and_who_asks_and_that_it_is_a_sandbox(
    company: Sandbox, company_api: Client
) -> None:
    user = company.rows("user").find(1)
    page = Program(company, company_api.url).open().text
    assert user
    assert f"Signed in as <strong>{user['name']}</strong>" in page
    assert "Voorbeeld &amp; Verzinsel B.V." in page
    assert "<h1>Sandbox client asks for access</h1>" in page
    assert "local sandbox" in page


def test_scopes_stand_in_plain_words_by_resource(program: Program) -> None:
    page = program.open(scope="customer.delete.all contact.read.all customer.read.all").text
    rows = re.findall(r'<th scope="row">(\w+)</th><td><ul>(.*?)</ul>', page)
    told_rows = [(heading, re.findall(r">(\w+)</li>", actions)) for heading, actions in rows]
    assert told_rows == [("Customers", ["Read", "Delete"]), ("Contacts", ["Read"])]


def test_who_asks_for_nothing_is_told_only_who_one_is(program: Program) -> None:
    assert "asks only who you are" in program.open(scope=None).text


def test_it_is_whole_without_anything_from_elsewhere(program: Program) -> None:
    page = program.open()
    tags = _Tags(page.text)
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in tags.tags}
    assert "http" not in page.text.replace("http-equiv", "")
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["Content-Security-Policy"]


def test_a_screen_reader_finds_language_heading_labels_and_buttons(
    sandbox: Sandbox, program: Program
) -> None:
    sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    page = program.open()
    tags = _Tags(page.text)
    assert tags.named("html") == [{"lang": "en"}]
    assert len(tags.named("h1")) == len(tags.named("main")) == len(tags.named("legend")) == 1
    assert len(tags.named("label")) == len(re.findall('type="radio"', page.text)) == 2
    assert [button["value"] for button in tags.named("button")] == ["allow", "deny"]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in tags.named(
        "meta"
    )


@pytest.mark.parametrize("change", [{}, {"client_id": "nobody"}])
def test_every_page_is_kept_from_frames_caches_and_referrers(
    program: Program, change: dict[str, str]
) -> None:
    headers = program.open(**change).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_the_session_cookie_is_for_the_server_only(program: Program) -> None:
    cookie = program.open().headers["Set-Cookie"]
    assert cookie.endswith("; Path=/oauth; HttpOnly; SameSite=Lax")


@pytest.mark.parametrize("uri", [REDIRECT_URI, "nl.voorbeeld.app:/back"])
def test_the_policy_lets_the_form_lead_to_the_program(
    sandbox: Sandbox, program: Program, uri: str
) -> None:
    sandbox.add_client("app", redirect_uris=[uri])
    page = program.open(client_id="app", redirect_uri=uri)
    (targets,) = re.findall(r"form-action ([^;]*)", page.headers["Content-Security-Policy"])
    assert f"{uri.partition(':')[0]}:" in targets.split()


def test_what_others_wrote_cannot_become_html(sandbox: Sandbox, program: Program) -> None:
    uri = 'http://<script>x.example/"><script>'
    sandbox.add_client("<i>", redirect_uris=[uri], name="<script>a")
    sandbox.add_account("<script>b", company="<script>c", email='"<script>d')
    good = program.open(client_id="<i>", redirect_uri=uri)
    bad = program.open(client_id="<i>", redirect_uri="<script>e")
    assert good.status_code == 200
    assert "<script" not in good.text + bad.text
    assert bad.text.count("&lt;script&gt;") == 2


def test_one_signs_in_as_the_account_that_was_chosen(sandbox: Sandbox, program: Program) -> None:
    account = sandbox.add_account("Noor Zandwijker", company="Verzonnen Zaken B.V.")
    colleague = sandbox.add_account("Bram Molenschot", company="Verzonnen Zaken B.V.")
    page = program.open()
    assert page.text.count("Verzonnen Zaken B.V.") == 2
    answer = told(program.browser.press("allow", page, user=str(account.user_id)))

    me = program.me(program.exchange(answer["code"]).json()["access_token"]).json()

    assert (me["name"], me["company"]["name"]) == ("Noor Zandwijker", "Verzonnen Zaken B.V.")
    assert me["company_id"] == me["company"]["id"] == colleague.company_id


def test_one_cannot_sign_in_as_somebody_who_is_not_offered(program: Program) -> None:
    answer = told(program.browser.press("allow", program.open(), user="777"))
    assert program.me(program.exchange(answer["code"]).json()["access_token"]).json()["id"] == 1
