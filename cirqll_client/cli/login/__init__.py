"""Signing in on the command line."""
