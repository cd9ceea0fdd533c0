"""Versions side by side on records: scored by a route, and what their losses add up to."""
