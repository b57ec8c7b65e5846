"""``python -m tap_cirqll`` is ``tap-cirqll``."""

from tap_cirqll.tap import TapCirqll

TapCirqll.cli()
