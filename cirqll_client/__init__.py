"""A client for the Cirqll API that knows nothing of Singer; tap, target and CLI share it."""
