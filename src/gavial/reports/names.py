"""What metrics are called, which way is better, and how their values are written. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

HIGHER, LOWER = "higher is better", "lower is better"


class Name(NamedTuple):
    """A metric for people: its name, which way is better ("" is neither), and its unit."""

    title: str
    better: str = ""
    unit: str = ""


# In the order of importance: what a report shows first.
METRICS: Final[Mapping[str, Name]] = {
    "auc": Name("AUC", HIGHER),
    "log_loss": Name("Log loss", LOWER, "nats"),
    "brier": Name("Brier score", LOWER),
    "rmse": Name("RMSE", LOWER, "units of the label"),
    "mae": Name("MAE", LOWER, "units of the label"),
    "r2": Name("R²", HIGHER),
    "bias": Name("Bias", "nearer 0 is better", "units of the label"),
    "macro_f1": Name("F1, macro", HIGHER),
    "weighted_f1": Name("F1, weighted", HIGHER),
    "f1": Name("F1", HIGHER),
    "accuracy": Name("Accuracy", HIGHER),
    "precision": Name("Precision", HIGHER),
    "recall": Name("Recall", HIGHER),
    "calibration_error": Name("Calibration error", LOWER),
    "calibration": Name("Calibration error", LOWER),
    "volume": Name("Records", "", "records"),
    "records": Name("Records", "", "records"),
    "positive_rate": Name("Positive labels", "", "share"),
    "psi": Name("PSI", LOWER),
    "jensen_shannon": Name("Jensen-Shannon distance", LOWER),
    "wasserstein": Name("Wasserstein distance", LOWER),
    "null_rate": Name("Nulls", LOWER, "share"),
    "unseen_rate": Name("Unseen values", LOWER, "share"),
}
DRIFT: Final = ("psi", "jensen_shannon", "wasserstein")  # the first that there is, is drawn
_RANK: Final = {metric: at for at, metric in enumerate(METRICS)}


def name(metric: str) -> Name:
    """Of a metric; one that is not known here is called what it is.

    >>> name("auc").title, name("my_metric").title
    ('AUC', 'my metric')
    """
    return METRICS.get(metric) or Name(metric.replace("_", " "))


def rank(metric: str) -> tuple[int, str]:
    """Sorts metrics by importance; those that are not known come last."""
    return _RANK.get(metric, len(_RANK)), metric


def shown(value: float | None) -> str:
    """A value in a table: four digits, or the whole number that it is.

    >>> shown(0.123456), shown(12000.0), shown(None), shown(float("nan"))
    ('0.1235', '12\u202f000', '–', '–')
    """
    if value is None or value != value:
        return "–"
    if float(value).is_integer() and abs(value) >= 1:
        return count(value) if abs(value) < 1e15 else f"{value:.4g}"
    return f"{value:.4g}"


def count(number: float) -> str:
    """A whole number with thousands set apart.

    >>> count(1234567)
    '1\u202f234\u202f567'
    """
    return f"{int(number):,}".replace(",", "\u202f")


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
