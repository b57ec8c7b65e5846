"""A Singer tap for the Cirqll API."""
