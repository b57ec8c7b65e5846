"""What people read when they cannot go on: for each reason a status and a page."""

from __future__ import annotations

from cirqll_client.connect_server.link_life import Reason
from cirqll_client.pages import Page

_NEW_LINK = "Ask the person who sent you the link for a new one."
_AGAIN = "Open the link that you were sent once more."


def _bad(title: str, *sentences: str) -> Page:
    return Page(title, sentences, tone="bad")


REFUSALS: dict[Reason, tuple[int, Page]] = {
    Reason.UNKNOWN_LINK: (
        403,
        _bad(
            "This link does not work",
            "It is not one of ours, or not the whole of it arrived. Open it again from the message "
            "that you got.",
            "If that does not help, ask the person who sent you the link for a new one.",
        ),
    ),
    Reason.USED_LINK: (
        410,
        _bad(
            "This link was used",
            "A link works once, and with this one the connection was made. There is nothing more "
            "to do.",
            "If you did not do that, or want to connect again, ask the person who sent you the "
            "link for a new one.",
        ),
    ),
    Reason.EXPIRED_LINK: (
        410,
        _bad("This link is too old", "Links work for a limited time only.", _NEW_LINK),
    ),
    Reason.BUSY_LINK: (
        409,
        _bad(
            "One moment",
            "The connection is being made in another window. Look there.",
            "If nothing happens, open the link that you were sent again in a few minutes.",
        ),
    ),
    Reason.WRONG_ORIGIN: (
        400,
        _bad(
            "This link was changed",
            "It leads back to an address that it was not made for, so we stopped here.",
            _NEW_LINK,
        ),
    ),
    Reason.UNKNOWN_STATE: (
        400,
        _bad(
            "This page is no longer valid",
            "It belongs to an earlier try, or was not begun here. Nothing was changed.",
            f"{_AGAIN} If that does not help, ask the person who sent it for a new one.",
        ),
    ),
    Reason.LATE_STATE: (
        410,
        _bad(
            "That took too long",
            "For safety, you have 15 minutes on Cirqll's pages. Nothing was changed.",
            f"{_AGAIN} If it is too old by now, ask the person who sent it for a new one.",
        ),
    ),
    Reason.USED_STATE: (
        410,
        _bad(
            "This page did its work",
            "It works once, and nothing was done a second time.",
            "If you saw that the connection is made, you can close this window. If not, open the "
            "link that you were sent again in a few minutes.",
        ),
    ),
    Reason.WRONG_BROWSER: (
        403,
        _bad(
            "You began in another browser",
            "The connection must be made in the browser in which it was begun, with cookies "
            "allowed. Nothing was changed.",
            "Open the link that you were sent here, and stay in this browser. If you did not begin "
            "this yourself, close this window.",
        ),
    ),
    Reason.DENIED: (
        403,
        _bad(
            "You did not allow it",
            "Cirqll told us that access was not allowed, so nothing was connected.",
            "If that is what you wanted, close this window. If it was a mistake, try again, or "
            "open the link that you were sent once more.",
        ),
    ),
    Reason.OTHER_COMPANY: (
        403,
        _bad(
            "This is another company",
            "In Cirqll you are signed in to another company than the one that is connected here. "
            "Nothing was changed.",
            "Sign in to Cirqll as the right company and try again, or ask the person who sent you "
            "the link.",
        ),
    ),
    Reason.LATE_CODE: (
        400,
        _bad(
            "Cirqll did not complete it",
            "Maybe too much time went by. Nothing was connected.",
            f"Try again. {_AGAIN}",
        ),
    ),
    Reason.REFUSED: (
        502,
        _bad(
            "Cirqll did not accept the question",
            "Nothing was connected, and it is not your fault.",
            "Tell the person who sent you the link; they find the reason in their records.",
        ),
    ),
    Reason.CIRQLL_DOWN: (
        502,
        _bad(
            "Cirqll does not answer",
            "Nothing was connected. The link still works: try again in a few minutes.",
            "If it goes on, tell the person who sent you the link.",
        ),
    ),
    Reason.FOREIGN_FORM: (
        403,
        _bad(
            "Please open the link itself",
            "Another website tried to begin this for you, so we stopped here.",
            "Open the link that you were sent, and press the button there.",
        ),
    ),
}

DOWN = _bad(
    "This does not work at the moment",
    "Nothing was connected. The link still works: try again in a few minutes.",
    "If it goes on, tell the person who sent you the link.",
)
MISSET = _bad(
    "Something is not set up right",
    "Nothing was connected, and it is not your fault.",
    "Tell the person who sent you the link; they find the reason in their records.",
)
NOTHING_HERE = _bad(
    "There is no such page",
    "Maybe not the whole link arrived. Open it again from the message that you got, or ask the "
    "person who sent it for a new one.",
)
NOT_SO = _bad(
    "That is not possible here",
    "Open the link that you were sent, and press the button there.",
)
EARLY = _bad("Not yet", "This page is made when you open it.")
