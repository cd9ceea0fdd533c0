"""The mechanics of scoring a stream: pins, checkpoints, sinks, and the function of one batch.

A batch is pinned to one version before it is scored, and its output replaces what an earlier
attempt at the same batch left: so a crash between two steps neither changes the version nor
doubles a record.
"""
