"""``python -m target_cirqll`` is ``target-cirqll``."""

from target_cirqll.target import TargetCirqll

TargetCirqll.cli()
