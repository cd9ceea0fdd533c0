"""Scored records on Spark become states: the scan, a release's reference, and states that are kept.

What a state is, and everything that is made of one, is in `gavial.monitoring`, without Spark.
"""
