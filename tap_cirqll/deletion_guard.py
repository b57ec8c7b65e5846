"""Whether so many rows may be gone at once, and the words where that is not believed."""

from __future__ import annotations

from cirqll_client.amounts import counted


def objection(gone: int, *, of: int, most: float, has_lost_scope: bool) -> str | None:
    """Say why so many rows of a stream are not told to be deleted, as a clause; ``None``: they are.

    ``most`` is a share of the stream; 1 allows everything.
    """
    if not gone or most >= 1:
        return None
    if has_lost_scope:
        return "the access token has fewer scopes than before"
    if gone >= of:
        return "that is all of them"
    if gone > max(1 if most else 0, most * of):
        return f"that is more than {most:.0%} of {of:,} (max_deleted_share)"
    return None


def refusal(stream: str, gone: int, *, why: str) -> str:
    """Tell that none of them is marked, and how to have them marked."""
    return (
        f"{stream}: {counted(gone, 'row')} that you have can no longer be found in Cirqll, and "
        f"{why}. None of them is marked as deleted. Look into Cirqll; if they were deleted on "
        "purpose, run once with max_deleted_share set to 1."
    )


def postponement(stream: str, *, why: str) -> str:
    """Tell that it is left to the next run; ``why`` is a clause, or a sentence of an error."""
    return (
        f"{stream}: deleted rows were not found this time, since {why.removesuffix('.')}. The next "
        "run tries again."
    )


def has_lost(before: str | None, now: str | None) -> bool:
    """Tell whether scopes lack that were there, as far as both are known."""
    return before is not None and now is not None and not set(before.split()) <= set(now.split())
