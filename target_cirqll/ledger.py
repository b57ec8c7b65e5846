"""Moved to cirqll_client.ledger."""

from cirqll_client.ledger import ABSENT, Entry, Ledger, Written

__all__ = ["ABSENT", "Entry", "Ledger", "Written"]
