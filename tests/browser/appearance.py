"""Looks at a page as people with other screens, eyes and hands do, and says what they miss."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from tests.browser.colours import contrast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

_READABLE = 4.5
_DISCERNIBLE = 3.0
_FINGER_PIXELS = 44


@dataclass(frozen=True, slots=True)
class Look:
    """A screen in a colour scheme."""

    width: int
    height: int
    scheme: Literal["light", "dark"]

    def __str__(self) -> str:
        return f"{self.width}x{self.height} {self.scheme}"


LOOKS = tuple(
    Look(width, height, scheme)
    for width, height in ((360, 740), (1280, 800))
    for scheme in ("light", "dark")
)


def complaints(page: Page) -> list[str]:
    """What is wrong with a page, on every screen."""
    told = [*_about_structure(page)]
    for look in LOOKS:
        show(page, look)
        told += [f"{look}: {one}" for one in (*_about_texts(page), *_about_keyboard(page))]
    return told


def show(page: Page, look: Look) -> None:
    """Show a page as it looks there."""
    page.set_viewport_size({"width": look.width, "height": look.height})
    page.emulate_media(color_scheme=look.scheme)


def _about_structure(page: Page) -> Iterator[str]:
    facts = page.evaluate(_STRUCTURE)
    if not facts["language"]:
        yield "its language is not told"
    if not facts["title"]:
        yield "it has no title"
    if facts["mains"] != 1:
        yield f"it has {facts['mains']} main parts"
    if facts["viewport"] != "width=device-width, initial-scale=1":
        yield "it does not fit itself to a phone"
    levels = facts["headings"]
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"its headings do not begin with the only h1: {levels}"
    if any(second > first + 1 for first, second in pairwise(levels)):
        yield f"its headings leave out a level: {levels}"
    yield from (f"nobody can tell what this is for: {one}" for one in facts["nameless"])


def _about_texts(page: Page) -> Iterator[str]:
    facts = page.evaluate(_TEXTS)
    if facts["scrolls"]:
        yield "it scrolls sideways"
    for text in facts["texts"]:
        if text["cut"]:
            yield f"this is cut off: {text['words']}"
        seen = contrast(text["colour"], text["grounds"])
        if seen < _READABLE:
            yield f"the contrast is {seen:.2f}: {text['words']}"


def _about_keyboard(page: Page) -> Iterator[str]:
    wanted = page.evaluate(_CONTROLS)
    reached: list[dict[str, Any]] = []
    page.evaluate(_FOCUS_NOTHING)
    for _ in wanted:
        page.keyboard.press("Tab")
        reached.append(page.evaluate(_FOCUSED))
    names = [one["words"] for one in reached]
    if names != [one["words"] for one in wanted]:
        yield f"the Tab key goes to {names}"
    for one in wanted:
        if one["isButton"] and one["height"] < _FINGER_PIXELS:
            yield f"this is only {one['height']} pixels high: {one['words']}"
    for one in reached:
        if one["outline"] < 2 or contrast(one["colour"], one["grounds"]) < _DISCERNIBLE:
            yield f"nobody sees that this has the focus: {one['words']}"


_STRUCTURE = """() => ({
  language: document.documentElement.lang,
  title: document.title.trim(),
  mains: document.querySelectorAll('main').length,
  viewport: document.querySelector('meta[name=viewport]')?.content,
  headings: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => +h.tagName[1]),
  nameless: [...document.querySelectorAll('a, button, input:not([type=hidden]), img')]
    .filter(one => !(one.innerText || one.ariaLabel || one.alt || one.labels?.[0]?.innerText))
    .map(one => one.outerHTML),
})"""

_GROUNDS = """const groundsOf = element => {
  const grounds = [];
  for (let one = element; one; one = one.parentElement)
    grounds.push(getComputedStyle(one).backgroundColor);
  return grounds;
};"""

_TEXTS = f"""() => {{
  {_GROUNDS}
  const isOutside = (inner, outer) => inner.left < outer.left - 1 || inner.right > outer.right + 1;
  const isCut = (box, element) => {{
    for (let one = element; one !== document.documentElement; one = one.parentElement) {{
      const style = getComputedStyle(one), frame = one.getBoundingClientRect();
      if (style.display !== 'inline' && isOutside(box, frame)) return true;
      if (style.overflowY !== 'visible' && box.bottom > frame.bottom + 1) return true;
    }}
    return isOutside(box, {{left: 0, right: innerWidth}}) || box.top < 0;
  }};
  scrollTo(0, 0);
  const texts = [];
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {{
    const node = nodes.currentNode, element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility({{visibilityProperty: true}})) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    texts.push({{
      words: node.data.trim(),
      cut: isCut(range.getBoundingClientRect(), element),
      colour: getComputedStyle(element).color,
      grounds: groundsOf(element),
    }});
  }}
  return {{texts, scrolls: document.documentElement.scrollWidth > innerWidth}};
}}"""

_CONTROL = f"""{_GROUNDS}
const told = one => ({{
  words: one.innerText?.trim() || one.labels?.[0]?.innerText || one.value || one.tagName,
  isButton: one.matches('button, .button, [type=submit]'),
  height: Math.round(one.getBoundingClientRect().height),
  outline: getComputedStyle(one).outlineStyle === 'none' ? 0
    : parseFloat(getComputedStyle(one).outlineWidth),
  colour: getComputedStyle(one).outlineColor,
  grounds: groundsOf(one.parentElement || one),
}});"""

# Where the Tab key goes on from is not forgotten by `blur`.
_FOCUS_NOTHING = """() => {
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute('tabindex');
}"""

_CONTROLS = f"""() => {{
  {_CONTROL}
  const all = 'a[href], button, select, textarea, summary, input:not([type=hidden])';
  return [...document.querySelectorAll(all)]
    .filter(one => one.checkVisibility() && !one.disabled)
    .filter(one => one.type !== 'radio' || one.checked)
    .map(told);
}}"""

_FOCUSED = f"""() => {{
  {_CONTROL}
  return told(document.activeElement);
}}"""
