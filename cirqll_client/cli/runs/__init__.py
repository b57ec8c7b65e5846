"""The command ``cirqll runs``: what past runs did, as the store remembers it."""
