"""How many records there are, and how many have their labels."""

from __future__ import annotations

from gavial.monitoring import state as kinds
from gavial.monitoring.bins import NULL
from gavial.monitoring.profile import REGRESSION, Profile
from gavial.monitoring.state import State
from gavial.monitoring.told import rate, root, told, untold
from gavial.monitoring.verdict import Measured


def records(state: State) -> Measured:
    """How many records there are: exact."""
    return told("records", float(state.records), state.records)


def labelled(state: State, profile: Profile) -> int:
    """How many records have a label, of whatever class."""
    if profile.task == REGRESSION:
        found = state.histogram(kinds.LABEL)
        return sum(n for bin_, n in found.items() if bin_ != NULL) if found else _errors(state)
    kind = kinds.CONFUSION if any(state.of(kinds.CONFUSION)) else kinds.SCORE
    return sum(cell.n for key, cell in state.of(kind) if key.label != NULL)


def labelled_rate(state: State, profile: Profile) -> Measured:
    """Share of records that have a label: exact."""
    why = "there are no records" if profile.label else "the profile has no label"
    n = state.records if profile.label else 0
    return rate("labelled_rate", labelled(state, profile), n, why)


def label_delay(state: State) -> Measured:
    """Mean seconds from a record to its label, of the labels that have come: exact, from moments.
    It rises as late labels come."""
    cell = state.moments(kinds.LATENCY)
    if not cell.n:
        return untold("label_delay", "no label has a time")
    return told("label_delay", cell.mean, cell.n, standard_error=root(cell.variance / cell.n))


def duplicate_rate(state: State) -> Measured:
    """Records and labels that were said twice and dropped, for each record that is counted."""
    dropped = sum(cell.n for _, cell in state.of(kinds.DUPLICATE))
    if not state.records:
        return untold("duplicate_rate", "there are no records")
    return told("duplicate_rate", dropped / state.records, state.records)


def _errors(state: State) -> int:
    return sum(cell.n for _, cell in state.of(kinds.ERROR))
