"""A challenger against a champion: values to show and to decide on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Any, Final

from gavial.errors import CorruptRelease
from gavial.model import json_values
from gavial.model.manifest import check_format
from gavial.monitoring import windows
from gavial.monitoring.windows import Window

FORMAT: Final = 1
_SHOWN: Final = 10  # looks in a notebook


class Mode(StrEnum):
    """How two versions ran side by side."""

    SHADOW = "shadow"  # each scored every record
    SPLIT = "split"  # each record was scored by one of them
    REPLAY = "replay"  # the challenger scored stored records


class Outcome(StrEnum):
    """What may be said of the challenger, at any time, as often as one likes."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference worth having"
    KEEP_GOING = "keep going"

    @property
    def exit_code(self) -> int:
        """What the command line ends with: 0 for a verdict, 4 if it is a bad one, 5 for none."""
        return {"worse": 4, "keep going": 5}.get(self.value, 0)


@dataclass(frozen=True)
class Look:
    """The comparison as of the end of a window, over all records until then.

    `difference` is the challenger's mean loss less the champion's: below 0 it is better. `low` and
    `high` hold the true one at every look at once, with the stated confidence.
    """

    window: Window | None
    n: int
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class SampleRatio:
    """Whether a split gave each version the share it was to: `p` of a chi-square test."""

    expected: tuple[float, ...]
    observed: tuple[int, ...]
    p: float

    @property
    def holds(self) -> bool:
        return self.p >= 0.001


@dataclass(frozen=True)
class Comparison:
    """What records say of a challenger and a champion.

    Attributes:
        module, champion, challenger: `group:artifact`, and a version of it each.
        mode: how they ran.
        loss: what was compared, such as `log_loss`; less is better.
        margin: the difference that is not worth having.
        alpha: how often a verdict may be false, over all looks together.
        outcome: the verdict.
        looks: one a window, in the order of time.
        needed: further labelled records that are expected to bring a verdict; `None` where that
            cannot be told.
        ratio: of a split.
        reasons: sentences for people.
        segment: "" for all records.
        when: it was made, in UTC as ISO 8601 has it; "" where nobody said.

    >>> one = Comparison("com.acme:churn", "1.0.3", "1.0.4", Mode.SHADOW, "log_loss", 0.01, 0.05,
    ...     Outcome.BETTER, (Look(None, 5000, -0.03, -0.04, -0.02),))
    >>> Comparison.from_json(one.to_json()) == one
    True
    """

    module: str
    champion: str
    challenger: str
    mode: Mode
    loss: str
    margin: float
    alpha: float
    outcome: Outcome
    looks: tuple[Look, ...]
    needed: int | None = None
    ratio: SampleRatio | None = None
    reasons: tuple[str, ...] = ()
    segment: str = ""
    when: str = ""

    def __str__(self) -> str:
        return f"{self.challenger} against {self.champion} of {self.module}: {self.outcome}"

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `from_json` reads them. A bound that is infinite is `None`."""
        ratio = self.ratio
        return {
            "format": FORMAT,
            "module": self.module,
            "champion": self.champion,
            "challenger": self.challenger,
            "mode": str(self.mode),
            "loss": self.loss,
            "margin": self.margin,
            "alpha": self.alpha,
            "outcome": str(self.outcome),
            "looks": [
                {
                    "window": [one.isoformat() for one in look.window] if look.window else None,
                    "n": look.n,
                    "difference": look.difference,
                    "low": look.low if math.isfinite(look.low) else None,
                    "high": look.high if math.isfinite(look.high) else None,
                }
                for look in self.looks
            ],
            "needed": self.needed,
            "ratio": None
            if ratio is None
            else {
                "expected": list(ratio.expected),
                "observed": list(ratio.observed),
                "p": ratio.p,
            },
            "reasons": list(self.reasons),
            "segment": self.segment,
            "when": self.when,
        }

    @classmethod
    def from_json(cls, found: Any) -> Comparison:
        """Read what `to_json` made; further members are ignored.

        Raises:
            CorruptRelease: it is no comparison.
            IncompatibleModel: a later Gavial wrote it.
        """
        try:
            check_format(found["format"], FORMAT, "The comparison")
            needed, ratio = found["needed"], found["ratio"]
            read = cls(
                json_values.text(found["module"]),
                json_values.text(found["champion"]),
                json_values.text(found["challenger"]),
                Mode(found["mode"]),
                json_values.text(found["loss"]),
                json_values.number(found["margin"], 0.0),
                json_values.number(found["alpha"], 0.0, 1.0),
                Outcome(found["outcome"]),
                tuple(map(_look, json_values.items(found["looks"]))),
                None if needed is None else json_values.count(needed),
                None if ratio is None else _ratio(ratio),
                tuple(map(json_values.text, json_values.items(found["reasons"]))),
                json_values.text(found["segment"]),
                json_values.text(found["when"]),
            )
            _check_outcome(read)
        except KeyError as error:
            raise CorruptRelease(f"A comparison is damaged: it has no {error!s:.200}.") from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise CorruptRelease(f"A comparison is damaged: {error!s:.200}.") from error
        return read

    def _repr_html_(self) -> str:
        """For a notebook: the verdict, its reasons, and the newest looks."""
        segment = f" ({escape(self.segment)})" if self.segment else ""
        reasons = "".join(f"<li>{escape(one)}</li>" for one in self.reasons)
        if self.needed is not None:
            reasons += f"<li>About {self.needed:,} more labelled records may bring a verdict.</li>"
        rows = "".join(
            f"<tr><td>{escape(str(one.window or 'all'))}</td><td>{one.n:,}</td>"
            f"<td>{one.difference:+.4g}</td><td>{one.low:.4g}</td><td>{one.high:.4g}</td></tr>"
            for one in self.looks[: -_SHOWN - 1 : -1]
        )
        return (
            f"<div><p><strong>{escape(self.challenger)} against {escape(self.champion)} of "
            f"{escape(self.module)}{segment}: {escape(str(self.outcome))}</strong></p>"
            f"<ul>{reasons}</ul><table><thead><tr><th>until the end of</th><th>records</th>"
            f"<th>{escape(self.loss)}: challenger less champion</th><th>from</th><th>to</th></tr>"
            f"</thead><tbody>{rows}</tbody></table></div>"
        )


def _check_outcome(found: Comparison) -> None:
    """A verdict that the newest interval does not bear out was not made by `judge`."""
    last = found.looks[-1] if found.looks else Look(None, 0, 0.0, -math.inf, math.inf)
    borne_out = {
        Outcome.BETTER: last.high < 0,
        Outcome.WORSE: last.low > 0,
        Outcome.NO_DIFFERENCE: found.margin > 0,
        Outcome.KEEP_GOING: True,
    }
    if not borne_out[found.outcome]:
        raise ValueError(
            f"its verdict is {str(found.outcome)!r}, and its newest difference is between "
            f"{last.low:g} and {last.high:g} with the margin {found.margin:g}"
        )


def _look(found: Mapping[str, Any]) -> Look:
    window = found["window"]
    low, high = found["low"], found["high"]
    read = Look(
        None if window is None else _window(window),
        json_values.count(found["n"]),
        json_values.number(found["difference"]),
        -math.inf if low is None else json_values.number(low),
        math.inf if high is None else json_values.number(high),
    )
    if read.low > read.high:
        raise ValueError(f"a difference is between {read.low:g} and {read.high:g}")
    return read


def _window(found: Any) -> Window:
    start, end = map(json_values.instant, json_values.items(found))
    return windows.checked(start, end)


def _ratio(found: Mapping[str, Any]) -> SampleRatio:
    return SampleRatio(
        tuple(json_values.number(one, 0.0, 1.0) for one in json_values.items(found["expected"])),
        tuple(map(json_values.count, json_values.items(found["observed"]))),
        json_values.number(found["p"], 0.0, 1.0),
    )
