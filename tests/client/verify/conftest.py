"""A warehouse for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.verify.books import Books

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reading_fixtures import Source


@pytest.fixture
def books(crm: Source, tmp_path: Path) -> Books:
    """An empty warehouse beside an account without rows."""
    return Books(crm, tmp_path / "warehouse.sqlite")
