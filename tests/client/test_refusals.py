"""What a status says about the deed."""

from __future__ import annotations

import pytest

from cirqll_client.refusals import is_surely_undone


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422, 429])
def test_only_the_api_itself_can_say_that_nothing_was_done(status: int) -> None:
    assert is_surely_undone(status, is_json_object=True)
    assert not is_surely_undone(status, is_json_object=False)


@pytest.mark.parametrize("status", [302, 408, 425, 500, 502, 503, 504])
def test_what_is_no_refusal_leaves_it_open(status: int) -> None:
    assert not is_surely_undone(status, is_json_object=True)


@pytest.mark.parametrize("status", [413, 414, 431])
def test_what_is_too_long_is_not_passed_on_by_anybody(status: int) -> None:
    assert is_surely_undone(status, is_json_object=False)
