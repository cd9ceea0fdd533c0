"""Calibration and confusion of a state, as they are drawn. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gavial.monitoring import binary
from gavial.monitoring.bins import GUARDS
from gavial.monitoring.profile import BINARY, Profile
from gavial.monitoring.state import CONFUSION, State

CLASSES: Final = 10  # of a confusion matrix; the rarer ones are one more


@dataclass(frozen=True)
class Calibrated:
    """Records of like scores: their mean score, and the share that was of the positive class."""

    score: float
    share: float
    n: int


@dataclass(frozen=True)
class Confusion:
    """Counts by class of the label (rows) and of the prediction (columns).

    `unlabelled` counts records whose label is not known, which are in none of the rows.
    """

    labels: tuple[str, ...]
    predictions: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    unlabelled: int = 0

    def share(self, row: int, column: int) -> float:
        """Of the records of a label, those with a prediction."""
        records = sum(self.counts[row])
        return self.counts[row][column] / records if records else 0.0


def calibration(state: State, profile: Profile) -> tuple[Calibrated, ...]:
    """Ten groups of about as many labelled records each, by their score."""
    if profile.task != BINARY:
        return ()
    return tuple(Calibrated(score, share, n) for n, score, share in binary.calibration(state))


def confusion(state: State, profile: Profile) -> Confusion | None:
    """The confusion matrix; `None` where no labelled record has a prediction."""
    cells: dict[tuple[int, int], int] = {}
    unlabelled = 0
    for key, cell in state.of(CONFUSION):
        if key.label == -1:
            unlabelled += cell.n
        else:
            at = (key.label, key.bin)
            cells[at] = cells.get(at, 0) + cell.n
    if not cells:
        return None
    names = _Classes(cells, profile)
    rows, columns = names.sides(0), names.sides(1)
    counts = [[0] * len(columns) for _ in rows]
    for (label, prediction), n in cells.items():
        counts[rows.index(names.of(label))][columns.index(names.of(prediction))] += n
    return Confusion(tuple(rows), tuple(columns), tuple(map(tuple, counts)), unlabelled)


class _Classes:
    """Names of classes: the most frequent by themselves, the rest together."""

    def __init__(self, cells: dict[tuple[int, int], int], profile: Profile) -> None:
        self._cells, self._classes = cells, profile.classes
        often: dict[int, int] = {}
        for pair, n in cells.items():
            for index in pair:
                often[index] = often.get(index, 0) + n
        own = sorted((one for one in often if one >= 0), key=lambda one: (-often[one], one))
        every = range(len(profile.classes))
        self._kept = sorted(own[:CLASSES] if len(profile.classes) > CLASSES else every)

    def of(self, index: int) -> str:
        if index < 0:
            return f"({GUARDS.get(index, 'unknown')})"
        return self._classes[index] if index in self._kept else self._rest

    @property
    def _rest(self) -> str:
        return f"({len(self._classes) - len(self._kept)} others)"

    def sides(self, side: int) -> list[str]:
        found = {pair[side] for pair in self._cells}
        named = [self.of(index) for index in self._kept]
        more = [self.of(one) for one in sorted(found - set(self._kept), reverse=True)]
        return list(dict.fromkeys([*named, *more]))
