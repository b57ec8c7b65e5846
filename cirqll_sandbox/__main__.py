"""`python -m cirqll_sandbox`."""

from cirqll_sandbox.cli import sandbox

if __name__ == "__main__":
    sandbox(prog_name="python -m cirqll_sandbox")
