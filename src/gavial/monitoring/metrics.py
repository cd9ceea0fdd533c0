"""What is known of each metric by its name: what it means, which way is worse, and what a change of
it is worth before anybody is told.

Floors are effect sizes: changes below them are not worth a retraining, however sure they are. They
are generic, and a rule in a file replaces each of them.

- Ranks and shares of right answers (`auc`, `accuracy`): 0.02, about what separates one version of a
  model from the next in practice.
- Shares of a part (`precision`, `recall`, F1): 0.05, as they also move with the share of positives.
- Losses have a unit of their own, so that their floor is relative: 5% of a proper score
  (`log_loss`, `brier`), 10% of an error in the label's unit (`mae`, `rmse`), whose tails are heavy.
- PSI: 0.2, the customary "significant shift" (N. Siddiqi, "Credit Risk Scorecards", 2006).
- Rates of what a model cannot use (null, NaN, unseen): 0.05, one record in twenty.

Levels are what a data scientist wants to be woken for. Quality that fell is an alert. So is broken
data: nulls and NaN come from pipelines, not from seasons. Drift of a feature is a note, as a month
or a day of the year drifts in every model, and mostly harms none. What stands for quality (drift
of scores and predictions, unseen categories, the estimates) alerts only while labels do not say
how good the model is. Metrics that repeat or explain another one (`accuracy`,
`precision` and `recall` beside `f1`) are notes. Of the two proper scores both alert: `log_loss`
sees rare and gross mistakes, which also make it so noisy that it may miss what `brier` sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gavial.monitoring.verdict import Level

ALERT, WITHOUT_LABELS, NOTE = Level.ALERT, Level.WITHOUT_LABELS, Level.NOTE


class Family(StrEnum):
    """What a metric speaks of."""

    QUALITY = "quality"  # needs labels
    ESTIMATE = "estimate"  # quality as expected without labels
    OUTPUT = "output"  # what the model says, or what came true, against the reference
    FEATURE = "feature"  # one feature's records; has a column
    VOLUME = "volume"


class Worse(StrEnum):
    """Which way a metric gets worse."""

    LOWER = "lower"
    HIGHER = "higher"
    EITHER = "either"


@dataclass(frozen=True)
class Metric:
    """What is known of a metric.

    Attributes:
        family: what it speaks of.
        means: a few words for people.
        worse: which way.
        floor: the change that is worth a word; `None` is never learned.
        relative: whether the floor is a share of the value at release.
        level: of a learned rule.
    """

    family: Family
    means: str
    worse: Worse = Worse.HIGHER
    floor: float | None = None
    relative: bool = False
    level: Level = Level.NOTE


_QUALITY: Final = {
    "auc": ("area under the ROC curve", Worse.LOWER, 0.02, False, ALERT),
    "log_loss": ("mean log-loss", Worse.HIGHER, 0.05, True, ALERT),
    "brier": ("Brier score", Worse.HIGHER, 0.05, True, ALERT),
    "calibration_error": ("expected calibration error", Worse.HIGHER, 0.02, False, NOTE),
    "calibration_bias": ("mean score less share of positives", Worse.EITHER, 0.02, False, NOTE),
    "accuracy": ("share of right predictions", Worse.LOWER, 0.02, False, NOTE),
    "precision": ("precision", Worse.LOWER, 0.05, False, NOTE),
    "recall": ("recall", Worse.LOWER, 0.05, False, NOTE),
    "f1": ("F1 score", Worse.LOWER, 0.05, False, ALERT),
    "macro_f1": ("mean F1 score of the classes", Worse.LOWER, 0.05, False, ALERT),
    "weighted_f1": ("weighted F1 score of the classes", Worse.LOWER, 0.05, False, NOTE),
    "mae": ("mean absolute error", Worse.HIGHER, 0.1, True, ALERT),
    "rmse": ("root mean squared error", Worse.HIGHER, 0.1, True, ALERT),
    "bias": ("mean of prediction less label", Worse.EITHER, None, False, NOTE),
    "r2": ("share of variance explained", Worse.LOWER, 0.05, False, NOTE),
}
_ESTIMATED: Final = ("auc", "log_loss", "brier", "accuracy", "precision", "recall", "f1")


def _metrics() -> dict[str, Metric]:
    found = {name: Metric(Family.QUALITY, *one) for name, one in _QUALITY.items()}
    for name in _ESTIMATED:
        means, worse, floor, relative, level = _QUALITY[name]
        found[f"estimated_{name}"] = Metric(
            Family.ESTIMATE,
            f"{means}, estimated without labels",
            worse,
            floor,
            relative,
            WITHOUT_LABELS if level is ALERT else NOTE,
        )
    for what, level in (("score", WITHOUT_LABELS), ("prediction", WITHOUT_LABELS), ("label", NOTE)):
        found[f"{what}_psi"] = Metric(
            Family.OUTPUT, f"population stability index of the {what}", floor=0.2, level=level
        )
        found[f"{what}_jensen_shannon"] = Metric(
            Family.OUTPUT, f"Jensen-Shannon distance of the {what}"
        )
    found["score_wasserstein"] = Metric(
        Family.OUTPUT, "Wasserstein distance of the score, in standard deviations"
    )
    found["score_null_rate"] = Metric(
        Family.OUTPUT, "share of records without a usable score", floor=0.05, level=ALERT
    )
    features = {
        "psi": ("population stability index", 0.2, NOTE),
        "jensen_shannon": ("Jensen-Shannon distance", None, NOTE),
        "wasserstein": ("Wasserstein distance, in standard deviations", None, NOTE),
        "null_rate": ("share of nulls", 0.05, ALERT),
        "nan_rate": ("share of NaN and infinities", 0.05, ALERT),
        "out_of_range_rate": ("share beyond the range at release", 0.05, NOTE),
        "unseen_rate": ("share of categories not seen at release", 0.05, WITHOUT_LABELS),
    }
    for name, (means, floor, level) in features.items():
        found[name] = Metric(Family.FEATURE, means, floor=floor, level=level)
    volume = {
        "records": ("number of records", Worse.EITHER),
        "duplicate_rate": ("records and labels said twice, for each record", Worse.HIGHER),
        "labelled_rate": ("share of records with a label", Worse.LOWER),
        "label_delay": ("mean seconds from a record to its label", Worse.HIGHER),
    }
    for name, (means, worse) in volume.items():
        found[name] = Metric(Family.VOLUME, means, worse)
    return found


METRICS: Final[Mapping[str, Metric]] = _metrics()


def known(name: str) -> Metric:
    """What is known of a metric; of one that is not, only that it has a name."""
    return METRICS.get(name) or Metric(Family.VOLUME, name)
