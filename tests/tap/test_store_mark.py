"""A state that goes on with another store: types may be told anew, and it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tap.conftest import Source
    from tests.tap.tap_runs import Run, TapRuns

WARNING = "the store is another one than theirs"


def is_warned(run: Run) -> bool:
    return any(WARNING in one for one in run.sentences("WARNING"))


def test_a_lost_store_is_noticed(run_tap: TapRuns, source: Source, tmp_path: Path) -> None:
    # Given
    source.sandbox.rows("customer").insert(name="Zon")
    stores = [f"sqlite:///{tmp_path / name}.sqlite" for name in ("one", "two")]
    first = run_tap(store_url=stores[0])
    # When
    same = run_tap(store_url=stores[0], state=first.state)
    other = run_tap(store_url=stores[1], state=same.state)
    again = run_tap(store_url=stores[1], state=other.state)
    # Then
    assert [is_warned(run) for run in (first, same, other, again)] == [False, False, True, False]
