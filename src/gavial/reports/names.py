"""What metrics are called, which way is better, and how their values are written. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from gavial.monitoring.metrics import METRICS, Worse


class Name(NamedTuple):
    """A metric for people: its name, which way is better ("" is neither), and its unit."""

    title: str
    better: str = ""
    unit: str = ""


# In the order of importance: what a report shows first.
_TITLES: Final[Mapping[str, str]] = {
    "auc": "AUC",
    "log_loss": "Log loss",
    "rmse": "RMSE",
    "mae": "MAE",
    "macro_f1": "F1, macro",
    "f1": "F1",
    "accuracy": "Accuracy",
    "r2": "R²",
    "brier": "Brier score",
    "weighted_f1": "F1, weighted",
    "precision": "Precision",
    "recall": "Recall",
    "calibration_error": "Calibration error",
    "calibration_bias": "Calibration bias",
    "bias": "Bias",
    "score_psi": "PSI of the score",
    "prediction_psi": "PSI of the prediction",
    "label_psi": "PSI of the label",
    "score_null_rate": "Records without a score",
    "psi": "PSI",
    "jensen_shannon": "Jensen-Shannon distance",
    "wasserstein": "Wasserstein distance",
    "null_rate": "Nulls",
    "nan_rate": "NaN and infinities",
    "unseen_rate": "Unseen values",
    "out_of_range_rate": "Out of range",
    "records": "Records",
    "labelled_rate": "Labelled records",
    "label_delay": "Delay of labels",
    "duplicate_rate": "Duplicates",
}
_UNITS: Final = {
    "log_loss": "nats",
    "rmse": "units of the label",
    "mae": "units of the label",
    "bias": "units of the label",
    "label_delay": "seconds",
    "wasserstein": "standard deviations",
    "score_wasserstein": "standard deviations",
}
_BETTER: Final = {
    Worse.LOWER: "higher is better",
    Worse.HIGHER: "lower is better",
    Worse.EITHER: "",
}
_ESTIMATED: Final = "estimated_"
DRIFT: Final = ("psi", "jensen_shannon", "wasserstein")  # the first that there is, is drawn
_RANK: Final = {metric: at for at, metric in enumerate(_TITLES)}


def name(metric: str) -> Name:
    """Of a metric; one that is not known here is called what it is.

    >>> name("auc").title, name("estimated_auc").title, name("my_metric").title
    ('AUC', 'AUC, estimated without labels', 'my metric')
    """
    plain = metric.removeprefix(_ESTIMATED)
    title = _TITLES.get(plain, plain.replace("_", " "))
    if plain != metric:
        title += ", estimated without labels"
    better = _BETTER[METRICS[metric].worse] if metric in METRICS else ""
    unit = _UNITS.get(plain, "share of records" if metric.endswith("_rate") else "")
    return Name(title, better, unit)


def from_zero(metric: str) -> bool:
    """Whether a metric is drawn from 0: of a count, a change of one in a thousand is none."""
    return metric in ("records", "label_delay") or metric.endswith("_rate")


def rank(metric: str) -> tuple[int, str]:
    """Sorts metrics by importance; those that are not known come last."""
    plain = metric.removeprefix(_ESTIMATED)
    return _RANK.get(plain, len(_RANK)), metric


def shown(value: float | None) -> str:
    """A value in a table: four digits, or the whole number that it is.

    >>> shown(0.123456), shown(12000.0), shown(None), shown(float("nan"))
    ('0.1235', '12\u202f000', '–', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if float(value).is_integer() and 1 <= abs(value) < 1e15:
        return count(value)
    return number(value)


def number(value: float, digits: int = 4) -> str:
    """A number with so many digits, and a minus that is one.

    >>> number(-0.052094, 3)
    '−0.0521'
    """
    text = f"{value:.{digits}g}"
    return f"−{text[1:]}" if text.startswith("-") else text


def count(number: float) -> str:
    """A whole number with thousands set apart.

    >>> count(1234567)
    '1\u202f234\u202f567'
    """
    return f"{int(number):,}".replace(",", "\u202f").replace("-", "−")


def version_order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts versions by their numbers.

    >>> sorted(["1.0.10", "1.0.9"], key=version_order)
    ['1.0.9', '1.0.10']
    """
    parts = version.split(".")
    return tuple(
        (0, int(one), "") if one.isascii() and one.isdigit() and len(one) < 18 else (1, 0, one)
        for one in parts
    )
