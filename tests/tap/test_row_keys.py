"""Keys of rows within records, as numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from cirqll_client.nested import NESTED
from tap_cirqll.row_keys import keys_within, majors, with_major, with_minor

OPTIONS, VALUES = NESTED[0], NESTED[-1]
ids = st.integers(0, 9) | st.integers(2**31 - 3, 2**31 - 1)
pairs = st.sets(st.tuples(ids, ids))


@pytest.mark.parametrize("nested", [OPTIONS, VALUES], ids=["options", "values"])
@given(pairs=pairs)
def test_keys_give_the_columns_that_they_were_made_of(nested: Any, pairs: Any) -> None:
    columns = keys_within(nested, nested.parents[0])
    constant = {"resource": "customer"} if nested is VALUES else {}
    rows = [{**constant, columns.major: a, columns.minor: b} for a, b in pairs]

    found = list(columns.records(columns.of(rows)))

    assert sorted(map(repr, found)) == sorted(map(repr, rows))
    assert all(row.keys() == set(nested.rows.keys) for row in found)


@given(pairs=pairs, chosen=st.sets(ids))
def test_keys_are_chosen_by_either_column(pairs: Any, chosen: Any) -> None:
    columns = keys_within(OPTIONS, OPTIONS.parents[0])

    def keys_of(some: Any) -> BitMap64:
        return columns.of({columns.major: a, columns.minor: b} for a, b in some)

    keys, wanted = keys_of(pairs), BitMap64(chosen)
    assert set(majors(keys)) == {a for a, _ in pairs}
    assert with_major(keys, wanted) == keys_of({(a, b) for a, b in pairs if a in chosen})
    assert with_minor(keys, wanted) == keys_of({(a, b) for a, b in pairs if b in chosen})


@pytest.mark.parametrize("odd", [-1, 2**32, 2**63, None, "7", True])
def test_what_is_no_id_of_cirqll_is_left_out(odd: Any) -> None:
    columns = keys_within(OPTIONS, OPTIONS.parents[0])

    keys = columns.of([{"field_id": odd, "id": 1}, {"field_id": 1, "id": odd}])

    assert not keys


def test_an_id_that_is_too_large_means_no_other_row() -> None:
    columns = keys_within(OPTIONS, OPTIONS.parents[0])
    keys = columns.of([{"field_id": 1, "id": 7}, {"field_id": 2, "id": 7}])

    assert with_minor(keys, BitMap64([2**32 + 7, 2**63 - 1])) == BitMap64()
