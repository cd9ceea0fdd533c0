"""Reports as pages: one file each, to read anywhere and to hand to somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gavial.monitoring.comparison import Comparison
from gavial.monitoring.idle import idle, topic
from gavial.monitoring.verdict import Status, Verdict, Watched
from gavial.reports import (
    chart_comparison,
    chart_timeline,
    charts,
    html,
    names,
    series,
    shifts,
    tables,
    theme,
    view,
    words,
)
from gavial.reports.drawing import Drawing
from gavial.reports.tables import Table
from gavial.reports.view import View

PROBLEMS = 50  # of the records


@dataclass(frozen=True)
class Figure:
    """A chart with its caption and the table behind it; `svg` is made by `drawing`."""

    heading: str
    svg: Any
    caption: str
    table: Table | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of a page, with a heading that a link leads to."""

    id: str
    title: str
    texts: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    listed: tuple[str, ...] = ()
    small: bool = False  # figures side by side
    folded: bool = False  # tables that are opened when wanted


@dataclass(frozen=True)
class Lead:
    """The top of a page: the verdict in words."""

    kind: str  # a class of the style
    sign: str
    headline: str
    reasons: tuple[str, ...]
    steps: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = field(default=())


def monitoring(watched: Watched, *, made: datetime, title: str = "") -> str:
    """A report on a module's versions as HTML.

    Args:
        watched: what is known of them.
        made: when the report is made; equal arguments give equal pages.
        title: of the page; the module's name where it is "".

    Raises:
        ConfigurationError: a library of `gavial[monitor]` is not installed.
    """
    found = view.of(watched)
    lead = _lead(watched, found.verdict) if found else _nothing()
    sections = [one for one in _sections(watched, found) if _filled(one)] if found else []
    return _page(
        title or watched.module,
        f"Monitoring report of {watched.module}, made {words.when(made)}.",
        lead,
        sections,
        "All times are UTC. Made by Gavial from counts of scored records in fixed bins; no single "
        "record is in this file.",
    )


def comparison(comparisons: Sequence[Comparison], *, made: datetime) -> str:
    """A report on a challenger against a champion as HTML.

    Args:
        comparisons: of all records first, then of segments or by other losses.
        made: when the report is made; equal arguments give equal pages.

    Raises:
        ConfigurationError: a library of `gavial[monitor]` is not installed.
    """
    if not comparisons:
        lead, about, title = _nothing(), "Comparison report", "Nothing was compared"
    else:
        first = comparisons[0]
        lead, about = _compared(first), f"Comparison report of {first.module}"
        title = f"{first.challenger} against {first.champion}"
    return _page(
        title,
        f"{about}, made {words.when(made)}.",
        lead,
        list(_looked(comparisons)),
        "All times are UTC. Made by Gavial from sums of losses; no single record is in this file. "
        "The intervals hold at every look at once: looking often does not make a verdict wrong.",
    )


def _page(title: str, about: str, lead: Lead, sections: Sequence[Section], footer: str) -> str:
    return html.render(
        "report.html",
        title,
        "report.css",
        rules=theme.variables(),
        about=about,
        lead=lead,
        sections=sections,
        footer=footer,
        dates=html.dates,
    )


def _nothing() -> Lead:
    return Lead(
        "unknown",
        words.SIGNS[Status.NOT_ENOUGH_DATA],
        "There is nothing to tell yet",
        ("No records were counted.",),
        ("Score records with a released model, and run gavial monitor on them.",),
    )


def _lead(watched: Watched, verdict: Verdict) -> Lead:
    kind = {Status.OK: "ok", Status.ALERT: "alert"}.get(verdict.status, "unknown")
    gone = idle(watched.verdicts)
    others = [one for one in watched.verdicts if one is not verdict and topic(one) not in gone]
    alerts = sum(one.status is Status.ALERT for one in others)
    verb = "alerts" if alerts == 1 else "alert"
    rest = f" {alerts} of {len(others)} other verdicts {verb}." if alerts else ""
    every = words.reasons(verdict)
    reasons = every[:10]
    if len(every) > 10:
        reasons.append(f"{len(every) - 10} more reasons are in the tables.")
    if rest:
        reasons.append(rest.strip())
    return Lead(
        kind,
        words.SIGNS[verdict.status],
        words.headline(verdict),
        tuple(reasons),
        tuple(words.next_steps(verdict)),
        tuple(_facts(watched, verdict)),
    )


def _facts(watched: Watched, verdict: Verdict) -> Iterator[tuple[str, str]]:
    windows = sorted({slot.window for slot in watched.states if slot.window})
    everything = [state for slot, state in watched.states.items() if not slot.segment]
    versions = sorted({slot.version for slot in watched.states}, key=names.version_order)
    shown = ", ".join(versions[-6:])
    yield "versions", f"{shown} and {len(versions) - 6} older" if len(versions) > 6 else shown
    if windows:
        spell = f"{windows[0].since} to {windows[-1].until}"
        yield "time", spell
    alerts = sum(one.status is Status.ALERT for one in verdict.results)
    yield "windows", f"{names.count(len(verdict.results))}, {names.count(alerts)} with an alert"
    yield "records", names.count(sum(one.records for one in everything))
    yield "task", watched.profile.task
    features = len(watched.profile.features)
    yield "features", names.count(features)
    reference = series.reference(watched, verdict.version)
    if reference is not None:
        of = "its own release" if reference.version == verdict.version else reference.version
        yield (
            "reference",
            f"{names.count(reference.total.records)} records of {of}, in "
            f"{len(reference.chunks)} chunks",
        )
    else:
        yield "reference", "none: drift cannot be told"


def _sections(watched: Watched, found: View) -> Iterator[Section]:
    wide, narrow = charts.draw(found), charts.draw(found, narrow=True)
    drawn = {name: _svg(name, one, narrow[name]) for name, one in wide.items()}
    yield Section(
        "rules-broken", "The rules that are broken", tables=(tables.broken(found.verdict),)
    )
    if len(watched.verdicts) > 1:
        yield Section("versions", "Every version", tables=(tables.versions(watched),))
    yield _over_time(found, drawn)
    yield Section("marks", "What happened meanwhile", tables=(tables.marks(watched),))
    yield from _drifted(found, drawn)
    yield _quality(found, drawn)
    problems = list(watched.problems[:PROBLEMS])
    if len(watched.problems) > PROBLEMS:
        problems.append(f"{len(watched.problems) - PROBLEMS} more were left out.")
    yield Section("problems", "Problems of the records", listed=tuple(problems))
    yield Section("rules", "Every rule", tables=(tables.rules(found.verdict),), folded=True)
    yield Section("origin", "Where this comes from", texts=tuple(_origin(watched)))


def _filled(one: Section) -> bool:
    tables = any(each.rows for each in one.tables)
    return bool(one.figures or tables or one.listed or one.texts)


def _over_time(found: View, drawn: Mapping[str, Any]) -> Section:
    figures = []
    keys = [name for name in drawn if name.startswith("timeline-")]
    for key, one in zip(keys, found.timelines, strict=True):
        notes = []
        if one.estimated:
            notes.append(
                "An estimate, made of scores alone: it cannot see that the same features came to "
                "mean something else."
            )
        if one.left_out:
            notes.append(f"{one.left_out} older versions are not drawn.")
        letters = "letters: what happened, listed below" * bool(one.events)
        better = names.name(one.metric).better
        caption = " · ".join(filter(None, [better, *chart_timeline.reading(one), letters]))
        figures.append(Figure(one.title, drawn[key], caption, tables.timeline(one), tuple(notes)))
    undrawn = (f"Not drawn, but judged all the same: {found.undrawn} more.",)
    return Section("time", "Over time", undrawn if found.undrawn else (), tuple(figures))


def _drifted(found: View, drawn: Mapping[str, Any]) -> Iterator[Section]:
    if found.drift is None:
        return
    shown, left_out = len(found.drift.features), found.drift.left_out
    text = (
        f"The {shown} features that drifted most, of {shown + left_out}; the others are left out."
    )
    figure = Figure(
        f"{names.name(found.drift.metric).title} by feature, version {found.drift.version}",
        drawn["drift"],
        "the stronger, the further from the reference · line: outside its bound · "
        "most drifted first",
        tables.drift(found.drift),
    )
    yield Section("drift", "Drift by feature", (text,) if left_out else (), (figure,))
    figures = _shares(drawn, "histogram", found.histograms)
    yield Section("histograms", "What drifted, at its worst", figures=tuple(figures), small=True)


def _shares(
    drawn: Mapping[str, Any], kind: str, found: Sequence[shifts.Histogram]
) -> Iterator[Figure]:
    for at, one in enumerate(found, 1):
        caption = f"filled: {one.when} · outlined: at release"
        yield Figure(one.column, drawn[f"{kind}-{at}"], caption, tables.histogram(one))


def _quality(found: View, drawn: Mapping[str, Any]) -> Section:
    figures = [*_shares(drawn, "output", found.outputs)]
    if found.calibration:
        figures.append(
            Figure(
                "Calibration",
                drawn["calibration"],
                "on the dotted line, scores say what comes true; above it, too little is expected",
                tables.calibration(found.calibration, found.before, found.when),
            )
        )
    if found.confusion is not None:
        unlabelled = names.count(found.confusion.unlabelled)
        without = f" · {unlabelled} without a label are left out"
        figures.append(
            Figure(
                "Confusion",
                drawn["confusion"],
                "shares of the records of a label" + without * bool(found.confusion.unlabelled),
                tables.confusion(found.confusion),
            )
        )
    texts = (f"Version {found.verdict.version}, records {found.when}.",) if figures else ()
    return Section("quality", "Scores and labels", texts, tuple(figures), small=True)


def _origin(watched: Watched) -> Iterator[str]:
    cells = sum(map(len, watched.states.values()))
    yield (
        f"{names.count(len(watched.states))} states (one a version, window and segment) with "
        f"{names.count(cells)} counts, in the bins of profile {watched.profile.digest}."
    )
    for version, reference in sorted(
        watched.references.items(), key=lambda one: names.version_order(one[0])
    )[-6:]:
        whose = f", measured on {reference.version}" if reference.version != version else ""
        yield (
            f"Reference of {version}{whose}: {names.count(reference.total.records)} records in "
            f"{len(reference.chunks)} chunks, profile {reference.profile.digest}."
        )


def _compared(found: Comparison) -> Lead:
    kind = {"better": "ok", "worse": "alert"}.get(found.outcome.value, "unknown")
    facts = [
        ("champion", found.champion),
        ("challenger", found.challenger),
        ("mode", words.mode(found)),
        ("loss", f"{names.name(found.loss).title}; less is better"),
        ("margin", f"{found.margin:g} is not worth having"),
        ("false verdicts", f"at most {100 * found.alpha:.4g}% over all looks together"),
    ]
    if found.ratio is not None:
        shares = " : ".join(names.count(one) for one in found.ratio.observed)
        expected = " : ".join(f"{one:g}" for one in found.ratio.expected)
        facts.append(("records", f"{shares}, set to {expected} (p = {found.ratio.p:.2g})"))
    return Lead(
        kind,
        words.OUTCOME_SIGNS[found.outcome],
        words.outcome(found),
        (*words.proof(found), *found.reasons),
        tuple(words.comparison_steps(found)),
        tuple(facts),
    )


def _looked(comparisons: Sequence[Comparison]) -> Iterator[Section]:
    wide, narrow = charts.compared(comparisons), charts.compared(comparisons, narrow=True)
    drawn = [_svg(name, one, narrow[name]) for name, one in wide.items()]
    some = iter(drawn)
    for at, one in enumerate(comparisons, 1):
        loss = names.name(one.loss).title
        title = f"{loss}, {one.segment or 'all records'}"
        figures: tuple[Figure, ...] = ()
        if one.looks:
            caption = f"below 0 the challenger is better · {chart_comparison.reading(one)}"
            figure = Figure(
                f"Difference in {loss.lower()}",
                next(some),
                caption,
                tables.looks(one),
            )
            figures = (figure,)
        texts = () if at == 1 else (f"{words.outcome(one)}. {' '.join(words.proof(one))}",)
        yield Section(f"comparison-{at}", title, texts, figures)


def _svg(name: str, wide: Drawing, narrow: Drawing) -> Any:
    """Both sizes of a chart; the style shows one."""
    if wide == narrow:
        return html.markup([wide.inline(name, "chart")])
    return html.markup(
        [wide.inline(f"{name}-wide", "chart wide-only"), narrow.inline(name, "chart narrow-only")]
    )
