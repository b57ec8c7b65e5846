"""The pages of a consent that goes well: the beginning, the way to Cirqll, the end."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from cirqll_client.pages import Page

if TYPE_CHECKING:
    from cirqll_client.connect_server.consents import Completed

_ASKED = (
    "You were asked to connect your company's Cirqll with the software of the person who sent you "
    "the link."
)
_WHAT_COMES = (
    "On Cirqll's own pages you sign in, see what is asked for, and allow it or not. Your password "
    "stays with Cirqll."
)
_FORM = """\
<noscript><p id="no-script">This page needs JavaScript, which is switched off in this browser.
Switch it on, or open the link in another browser.</p></noscript>
<p id="incomplete" role="alert" hidden>Not the whole link arrived. Open it again from the message
that you got, or ask the person who sent it for a new one.</p>
<form id="connect-form" method="post" action="{action}" autocomplete="off" hidden>
<input type="hidden" name="token"><input type="hidden" name="target_origin">
<input type="hidden" name="link" value="{link_id}">
<button class="button" id="connect" type="submit">Continue to Cirqll</button>
</form>"""
_TAKE_FRAGMENT = """
const form = document.getElementById("connect-form");
const button = document.getElementById("connect");
// Kept for this tab: a reload, or the way back from Cirqll, must not lose or change the link.
function kept(text) {
  try {
    if (text) sessionStorage.setItem("link", text);
    return text || sessionStorage.getItem("link") || "";
  } catch { return text; }
}
function take() {
  const given = new URLSearchParams(kept(location.hash.slice(1)));
  if (given.get("token")) {
    form.elements["token"].value = given.get("token");
    form.elements["target_origin"].value = given.get("target_origin") || "";
    history.replaceState(null, "", location.pathname);
  }
  const isWhole = Boolean(form.elements["token"].value || form.elements["link"].value);
  form.hidden = !isWhole;
  document.getElementById("incomplete").hidden = isWhole;
}
form.addEventListener("submit", (event) => {
  if (button.disabled) event.preventDefault();
  button.disabled = true;
});
window.addEventListener("pageshow", () => { button.disabled = false; });
window.addEventListener("hashchange", take);
take();
"""
_AGAIN = """\
<form id="again-form" method="post" action="{action}">
<input type="hidden" name="link" value="{link_id}">
<button class="button" id="again" type="submit">Try again</button>
</form>"""
_TOLD = """\
<p id="told" hidden>You can close this window.</p>
<div id="alone" hidden>
<p>The page that you came from could not be told. You can close this window, or go on:</p>
<p><a class="button" id="go-on" rel="noreferrer" href="{origin}">Go on to {host}</a></p>
</div>"""
_TELL_OPENER = """
const opener = window.opener;
const isThere = Boolean(opener) && !opener.closed;
document.getElementById(isThere ? "told" : "alone").hidden = false;
if (isThere) {
  opener.postMessage(pageData.message, pageData.origin);
  window.close();
}
"""


def beginning(*, action: str, link_id: str | None) -> Page:
    """Explain what is asked; the token of the link is read in the browser.

    With the id of a link the browser may start that one again without its token.
    """
    return Page(
        "Connect Cirqll",
        (
            _ASKED,
            _WHAT_COMES,
            "If you did not expect this, close this window: nothing has happened.",
        ),
        form=_FORM.format(action=escape(action), link_id=escape(link_id or "")),
        script=_TAKE_FRAGMENT,
    )


def leaving(url: str) -> Page:
    """Lead to Cirqll; the answer that carries this page also sends the browser there."""
    return Page("One moment", ("You are being taken to Cirqll.",), link=(url, "Continue to Cirqll"))


def completed(end: Completed) -> Page:
    """Say that the connection is made, and tell the page that opened the window."""
    host = end.target_origin.partition("://")[2]
    page = Page("The connection is made", ("Thank you. There is nothing more to do.",), tone="good")
    if end.callback_message is None:
        return replace(page, link=(end.target_origin, f"Go on to {host}"))
    return replace(
        page,
        form=_TOLD.format(origin=escape(end.target_origin), host=escape(host)),
        script=_TELL_OPENER,
        data={"message": end.callback_message, "origin": end.target_origin},
    )


def with_again(page: Page, *, action: str, link_id: str | None) -> Page:
    """Offer to try again, if there is a link that this browser may start."""
    if link_id is None:
        return page
    return replace(page, form=_AGAIN.format(action=escape(action), link_id=escape(link_id)))
