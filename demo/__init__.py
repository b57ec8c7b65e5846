"""The demo: the real pipeline, from a sandbox into a PostgreSQL of its own. Run `make demo`."""
