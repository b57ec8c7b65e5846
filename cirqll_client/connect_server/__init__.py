"""The consent of somebody else: one-time links, and the web server that they lead to.

A link is used up when a consent was completed, not when it is opened. Until then it may be started
again, and each start ends the one before::

    open ──► started ──► finishing ──► used      the tokens are saved
      ▲  ▲      │ ▲          │
      │  └──────┼─┴──────────┘                   denied, or Cirqll failed: try again
      └─────────┘                                started again: the earlier state is dead

A link expires for starting; who started in time has a quarter of an hour to come back.
"""
