"""The command ``cirqll doctor``: what a connection can do, found by asking it.

``examination`` asks, through ``asking`` only; everything else decides or prints::

    command ─► examination ─► evidence ─► diagnosis ─► printed │ as_json │ report │ learning
                   │              └ honesty, page_sizes, shapes, zones, fields: verdicts on answers
                asking
"""
