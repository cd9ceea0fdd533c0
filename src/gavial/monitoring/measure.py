"""Every metric of a state."""

from __future__ import annotations

from collections.abc import Iterator

from gavial.monitoring import binary, drift, estimate, multiclass, regression, volume
from gavial.monitoring import state as kinds
from gavial.monitoring.bins import NAN, NEGATIVE_INFINITY, NULL, POSITIVE_INFINITY, Numeric
from gavial.monitoring.profile import BINARY, MULTICLASS, REGRESSION, Profile, Reference
from gavial.monitoring.state import State
from gavial.monitoring.told import rate
from gavial.monitoring.verdict import Measured


def measure(
    state: State, profile: Profile, reference: Reference | None = None
) -> tuple[Measured, ...]:
    """The metrics of a state: volume, quality by labels, drift from a reference, and quality as it
    is estimated where labels are late.

    One that cannot be told is there with the value `None` and the reason. Nothing is raised, and no
    value is NaN.

    Args:
        state: counted in the bins of `profile`.
        reference: of the same bins; without one there is neither drift nor an estimate.

    >>> from gavial.monitoring.count import count
    >>> profile = Profile("regression", label="y", prediction="said")
    >>> found = measure(count([{"y": 1, "said": 2}, {"y": 3, "said": 2}], profile), profile)
    >>> [(one.metric, one.value) for one in found if one.metric in ("mae", "bias")]
    [('mae', 1.0), ('bias', 0.0)]
    """
    return (
        *_volume(state, profile),
        *quality(state, profile),
        *_outputs(state, profile, reference),
        *_features(state, profile, reference),
    )


def _volume(state: State, profile: Profile) -> Iterator[Measured]:
    yield volume.records(state)
    yield volume.duplicate_rate(state)
    if profile.label:
        yield volume.labelled_rate(state, profile)
        yield volume.label_delay(state)


def quality(state: State, profile: Profile) -> Iterator[Measured]:
    """How good the model is, by the labels that have come."""
    if not profile.label:
        return
    if profile.task == BINARY and profile.score:
        yield binary.auc(state)
        yield binary.log_loss(state)
        yield binary.brier(state, profile)
        yield binary.calibration_error(state, profile)
        yield binary.calibration_bias(state, profile)
    if profile.task == MULTICLASS and profile.score:
        yield binary.log_loss(state)
    if profile.task == BINARY and profile.prediction:
        yield binary.accuracy(state)
        yield binary.precision(state)
        yield binary.recall(state)
        yield binary.f1(state)
    if profile.task == MULTICLASS and profile.prediction:
        yield multiclass.accuracy(state)
        yield multiclass.macro_f1(state)
        yield multiclass.weighted_f1(state)
    if profile.task == REGRESSION:
        yield regression.mae(state)
        yield regression.rmse(state)
        yield regression.bias(state)
        yield regression.r2(state)


def _outputs(state: State, profile: Profile, reference: Reference | None) -> Iterator[Measured]:
    """Drift of what the model says, and of what came true."""
    known = reference.total if reference else State()
    if profile.task == BINARY and profile.score_bins is not None:
        found, before = state.histogram(kinds.SCORE), known.histogram(kinds.SCORE)
        none = (NULL, NAN, NEGATIVE_INFINITY, POSITIVE_INFINITY)
        missing = sum(found.get(one, 0) for one in none)
        yield rate("score_null_rate", missing, sum(found.values()), drift.NO_RECORDS)
        yield from drift.shift("score_", "", before, found)
        cells = (drift.finite_cells(one, kinds.SCORE) for one in (known, state))
        yield drift.moved("score_wasserstein", "", *cells)
        yield from estimate.estimates(state, profile, reference)
    if profile.task in (BINARY, MULTICLASS) and profile.prediction:
        pair = (one.histogram(kinds.CONFUSION) for one in (known, state))
        yield from drift.shift("prediction_", "", *pair, ordered_bins=False)
    if profile.task == REGRESSION and profile.prediction and profile.value_bins is not None:
        pair = (one.histogram(kinds.PREDICTION) for one in (known, state))
        yield from drift.shift("prediction_", "", *pair)
    if profile.label and profile.task in (BINARY, MULTICLASS, REGRESSION):
        pair = (_labels(one, profile) for one in (known, state))
        numbers = profile.task == REGRESSION
        yield from drift.shift(
            "label_", "", *pair, ordered_bins=numbers, nothing="no label has come"
        )


def _labels(state: State, profile: Profile) -> dict[int, int]:
    """Labels that have come, by class or bin."""
    found: dict[int, int] = {}
    if profile.task == REGRESSION:
        found = state.histogram(kinds.LABEL)
        found.pop(NULL, None)
        return found
    kind = kinds.CONFUSION if profile.prediction else kinds.SCORE
    for key, cell in state.of(kind):
        if key.label != NULL:
            found[key.label] = found.get(key.label, 0) + cell.n
    return found


def _features(state: State, profile: Profile, reference: Reference | None) -> Iterator[Measured]:
    known = reference.total if reference else State()
    for column, bins in profile.features.items():
        numbers = isinstance(bins, Numeric)
        found = state.histogram(kinds.FEATURE, column)
        yield drift.null_rate(found, column)
        if numbers:
            yield drift.nan_rate(found, column)
            yield drift.out_of_range_rate(found, column)
        else:
            yield drift.unseen_rate(found, column)
        before = known.histogram(kinds.FEATURE, column)
        yield from drift.shift("", column, before, found, ordered_bins=numbers)
        if numbers:
            cells = (drift.finite_cells(one, kinds.FEATURE, column) for one in (known, state))
            yield drift.moved("wasserstein", column, *cells)
