"""Every page, on a phone and on a desk, in light and in dark, with a mouse and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.appearance import complaints
from tests.browser.colours import contrast
from tests.browser.stage import PAGES, Stage
from tests.browser.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    from cirqll_sandbox import Sandbox
    from tests.browser.connecting import ConnectServer
    from tests.browser.person import Person
    from tests.browser.site import Site


@pytest.fixture
def stage(
    person: Person, server: ConnectServer, company: Sandbox, planner: Site, tmp_path: Path
) -> Stage:
    """All that there is to meet; who signs in has a store of their own."""
    terminal = Terminal(tmp_path, server.terminal.cirqll)
    return Stage(person, terminal, server, company, planner)


@pytest.mark.parametrize("reached", PAGES, ids=lambda reached: reached.__name__)
def test_it_suits_every_screen_eye_and_hand(reached: Callable[[Stage], Page], stage: Stage) -> None:
    assert complaints(reached(stage)) == []


_GOOD = """<!doctype html><html lang="en"><title>A page</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body { background: #fff; color: #000; margin: 0 } button { height: 44px }
:focus-visible { outline: 3px solid #000 }</style>
<main><h1>A page</h1><p>A text.</p><h2>More</h2><button>Go</button></main>"""


def test_a_good_page_has_no_complaints(person: Person) -> None:
    page = person.context.new_page()
    page.set_content(_GOOD)
    assert complaints(page) == []


@pytest.mark.parametrize(
    ("part", "worse", "complaint"),
    [
        (' lang="en"', "", "its language is not told"),
        ("<title>A page</title>", "", "it has no title"),
        ("main>", "div>", "it has 0 main parts"),
        ("initial-scale=1", "initial-scale=1, user-scalable=no", "it does not fit itself"),
        ("h2>", "h1>", "its headings do not begin with the only h1"),
        ("h2>", "h3>", "its headings leave out a level"),
        ("<h2>", '<img src="data:,"><h2>', "nobody can tell what this is for"),
        ("A text.", f"A text{'.' * 300}", "it scrolls sideways"),
        ("<p>", '<p style="overflow: hidden; height: 5px">', "this is cut off: A text."),
        ("<p>", '<p style="overflow: hidden; white-space: nowrap; width: 9px">', "this is cut off"),
        ("<p>", '<p style="color: #777">', "the contrast is 4.48: A text."),
        ("<p>", '<p style="color: rgb(0 0 0 / 50%)">', "the contrast is 3.98: A text."),
        ("<p>", '<div style="background: #000"><p>', "the contrast is 1.00: A text."),
        ("<button>", '<button tabindex="-1">', "the Tab key goes to"),
        ("44px", "30px", "this is only 30 pixels high: Go"),
        ("3px solid #000", "none", "nobody sees that this has the focus: Go"),
        ("3px solid #000", "3px solid #eee", "nobody sees that this has the focus: Go"),
    ],
)
def test_a_bad_page_has_complaints(part: str, worse: str, complaint: str, person: Person) -> None:
    page = person.context.new_page()
    page.set_content(_GOOD.replace(part, worse))
    assert complaint in "\n".join(complaints(page))


@pytest.mark.parametrize(
    ("colour", "ground", "expected"),
    [("0, 0, 0", "255, 255, 255", 21), ("118, 118, 118", "255, 255, 255", 4.54)],
)
def test_contrast_is_as_the_guidelines_count_it(colour: str, ground: str, expected: float) -> None:
    assert contrast(f"rgb({colour})", [f"rgb({ground})"]) == pytest.approx(expected, abs=0.005)
