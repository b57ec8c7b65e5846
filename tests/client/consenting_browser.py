"""A browser as ``BROWSER`` names one: `consenting_browser.py PAGE URL` signs in and allows."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.client.login_stage import Person

if __name__ == "__main__":
    person = Person()
    print("a browser's own noise")  # noqa: T201
    Path(sys.argv[1]).write_text(person.sign_in(sys.argv[2]).text, encoding="utf-8")
