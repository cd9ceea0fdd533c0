"""Channels by which somebody is told of a verdict: a port, and an adapter each."""
