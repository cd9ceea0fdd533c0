"""The losses that versions are compared by, and the kinds of state that they are kept in.

A loss is of one record, and less is better. Its kinds are not those of quality (`state.KINDS`):
what is kept is the *difference* on a record, so that states of a comparison add up like others.
"""

from __future__ import annotations

from typing import Final

from gavial.errors import ConfigurationError

LOG_LOSS: Final = "log_loss"  # -ln of the probability given to the label's class
BRIER: Final = "brier"  # squared error of the probability; summed over classes if more than two
ZERO_ONE: Final = "zero_one"  # 1 where the prediction is not the label: 1 - accuracy
SQUARED_ERROR: Final = "squared_error"
ABSOLUTE_ERROR: Final = "absolute_error"
LOSSES: Final = (LOG_LOSS, BRIER, ZERO_ONE, SQUARED_ERROR, ABSOLUTE_ERROR)
OF_SCORES: Final = (LOG_LOSS, BRIER)
OF_CLASSES: Final = (LOG_LOSS, BRIER, ZERO_ONE)
LEAST_PROBABILITY: Final = 1e-15  # a smaller one counts as this: no record costs infinitely much

# Kinds of cells. The slot's version is the challenger's, `column` is the champion's; of `GROUP` and
# `ASSIGNED` the slot's version is the one that scored, and `column` is "". `label` is the class of
# the record's label where the loss is one of classes, else 0.
_PAIRED: Final = "paired:"  # challenger's loss - champion's; bin 0: the same, 1: not
_GROUP: Final = "group:"  # of a split: the loss
ASSIGNED: Final = "assigned"  # of a split: what each version got; `bin` is one of the two below
KEYS, RECORDS = range(2)  # all keys; the records that have a loss
LOST: Final = "lost"  # records that count for nothing; `bin` is one of `WHY_LOST`
UNLABELLED, CONTRADICTING, UNPAIRED, INVALID, REPEATED, CROSSED = range(6)
WHY_LOST: Final = {
    UNLABELLED: "{n} records have no label yet",
    CONTRADICTING: "{n} records have labels that contradict each other, and were left out",
    UNPAIRED: "{n} records were scored by one of the two alone, and were left out",
    INVALID: "{n} records have a loss that is no number (a score that is NaN or outside 0 to 1, "
    "or no prediction), and were left out",
    REPEATED: "{n} records were there more than once, and count once",
    CROSSED: "{n} records of the split were scored by both versions, and were left out",
}

BIASING: Final = (UNPAIRED, INVALID, CROSSED)  # what may hide a difference


def paired(loss: str) -> str:
    """The kind of paired differences of a loss.

    >>> paired("log_loss")
    'paired:log_loss'
    """
    return _PAIRED + check(loss)


def group(loss: str) -> str:
    """The kind of the losses of one version of a split."""
    return _GROUP + check(loss)


def check(loss: str) -> str:
    """A loss, if it is one.

    Raises:
        ConfigurationError: saying which there are.
    """
    if loss not in LOSSES:
        raise ConfigurationError(f"loss={loss!r}: expected one of {', '.join(LOSSES)}.")
    return loss
