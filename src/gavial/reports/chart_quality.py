"""Calibration, and confusion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gavial.reports import names, quality, specs, theme
from gavial.reports.drawing import Drawing


def calibration(
    now: Sequence[quality.Calibrated], before: Sequence[quality.Calibrated], when: str
) -> Drawing:
    """The share that was of the positive class, by score; on the diagonal, scores are right."""
    alt = specs.altair()
    sides = [(when, now), *([("at release", before)] if before else [])]
    rows = [
        {"x": one.score, "y": one.share, "n": one.n, "which": which}
        for which, side in sides
        for one in side
    ]
    top = (
        min(1.0, 1.05 * max(max(one.score, one.share) for _, side in sides for one in side)) or 1.0
    )
    both = [which for which, _ in sides]
    legend = alt.Legend(title=None)
    series = theme.SERIES[0], theme.light("soft-ink")
    colour = alt.Color("which:N", scale=specs.scale(both, series), legend=legend)
    shape = alt.Shape("which:N", scale=specs.scale(both, theme.SHAPES), legend=legend)
    x, y = (
        side(
            f"{field}:Q",
            scale=alt.Scale(domain=[0, top], nice=False),
            axis=alt.Axis(title=title, tickCount=5, format="%"),
        )
        for side, field, title in (
            (alt.X, "x", "mean score (probability that the model states)"),
            (alt.Y, "y", "share that came true"),
        )
    )
    base = alt.Chart(specs.data(rows)).encode(x=x, y=y, color=colour)
    diagonal = [{"x": 0.0, "y": 0.0}, {"x": top, "y": top}]
    return specs.finish(
        [
            alt.Chart(specs.data(diagonal))
            .mark_line(color=theme.light("bound"), strokeDash=[2, 3], strokeWidth=1)
            .encode(x=x, y=y),
            *(
                base.mark_line(strokeWidth=2, strokeDash=dash).properties(
                    data=specs.data(row for row in rows if row["which"] == which)
                )
                for which, dash in zip(both, theme.DASHES, strict=False)
            ),
            base.mark_point(filled=True, size=45, opacity=1).encode(shape=shape),
        ],
        "Calibration",
        "dotted: where scores say what comes true",
        described(now, when),
        width=specs.NARROW,
        height=240,
    )


def described(now: Sequence[quality.Calibrated], when: str) -> str:
    """How far off the scores are, in words."""
    worst = max(now, key=lambda one: abs(one.score - one.share))
    low, high = now[0], now[-1]
    return (
        f"Calibration {when}, {len(now)} groups of records by score: {low.share:.1%} of the lowest "
        f"came true at a mean score of {low.score:.1%}, {high.share:.1%} of the highest at "
        f"{high.score:.1%}. Furthest off: {worst.share:.1%} at {worst.score:.1%}."
    )


def confusion(found: quality.Confusion, when: str) -> Drawing:
    """Of the records of each label, the shares that were predicted as what."""
    alt = specs.altair()
    few = max(len(found.labels), len(found.predictions)) <= 4
    labels, predictions = specs.labels(found.labels, 12), specs.labels(found.predictions, 12)
    rows: list[dict[str, Any]] = []
    for row, label in enumerate(labels):
        for column, prediction in enumerate(predictions):
            share, n = found.share(row, column), found.counts[row][column]
            rows.append(
                {
                    "label": label,
                    "prediction": prediction,
                    "level": str(min(4, int(share * 5))),
                    "share": f"{share:.0%}",
                    "n": names.count(n),
                    "pale": share < 0.6,
                }
            )
    levels = [str(at) for at in range(5)]
    colour = alt.Color("level:O", scale=specs.scale(levels, theme.LEVELS), legend=None)
    steep = -45 if len(predictions) > 4 else 0
    base = alt.Chart(specs.data(rows)).encode(
        x=alt.X(
            "prediction:N",
            sort=predictions,
            title="prediction",
            axis=alt.Axis(orient="bottom", labelAngle=steep, ticks=False, domain=False),
        ),
        y=alt.Y("label:N", sort=labels, title="label", axis=alt.Axis(ticks=False, domain=False)),
    )
    layers = [base.mark_rect(stroke=theme.light("paper"), strokeWidth=2).encode(color=colour)]
    for pale, ink in ((True, "ink"), (False, "paper")):
        some = [row for row in rows if row["pale"] is pale]
        if not some:
            continue
        texts = base.properties(data=specs.data(some))
        layers.append(
            texts.mark_text(
                fontSize=16 if few else 9,
                fontWeight=600,
                dy=-6 if few else 0,
                color=theme.light(ink),
            ).encode(text="share:N")
        )
        if few:
            layers.append(
                texts.mark_text(fontSize=11, dy=11, color=theme.light(ink)).encode(text="n:N")
            )
    return specs.finish(
        layers,
        "Confusion",
        "shares of the records of a label",
        _confused(found, when),
        width=specs.NARROW,
        height=240,
    )


def _confused(found: quality.Confusion, when: str) -> str:
    parts = []
    for row, label in enumerate(found.labels):
        best = max(range(len(found.predictions)), key=lambda at: found.counts[row][at])
        records = sum(found.counts[row])
        parts.append(
            f"of {names.count(records)} records of label {label}, {found.share(row, best):.0%} "
            f"were predicted as {found.predictions[best]}"
        )
    return f"Confusion {when}: {'; '.join(parts)}."
