"""Looking after the tokens in the store, on the command line."""
