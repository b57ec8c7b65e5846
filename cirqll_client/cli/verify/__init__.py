"""The command ``cirqll verify``: the tables of a warehouse compared with the account."""
