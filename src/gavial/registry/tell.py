"""Tell channels of verdicts: each what is news to it, and none is held up by another."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from gavial.channels import build, news
from gavial.channels.channel import Channel, Meter, PartlyDelivered, persist
from gavial.channels.command import Command
from gavial.channels.gauges import gauges_of
from gavial.channels.message import Item, Message, message_of, test_message
from gavial.channels.news import Rules, Told
from gavial.errors import GavialError
from gavial.maven.settings_monitor import (
    REMIND_DAYS,
    ChannelSettings,
    MonitorSettings,
)
from gavial.monitoring import idle
from gavial.monitoring.verdict import Status, Verdict
from gavial.registry import local
from gavial.registry.told import Ledger
from gavial.registry.warn import warn

NO_CHANNELS: Final = (
    "No channels are configured: write [[monitor.channels]] tables into "
    "~/.config/gavial/config.toml or gavial.toml, or name a file of them by GAVIAL_MONITOR"
)
TOLD: Final = "told"
PUBLISHED: Final = "published"
NOTHING_NEW: Final = "nothing new"
FAILED: Final = "failed"
NOT_RUN: Final = "not run"


@dataclass(frozen=True)
class Delivery:
    """What became of one channel.

    Attributes:
        channel: its name.
        kind: such as `email`.
        outcome: `told`, `published` (gauges), `nothing new`, `failed`; or `not run`, of a command
            in a test.
        event: what it was told, or would have been; "" for gauges and where there was nothing.
        problem: what went wrong, in words.
    """

    channel: str
    kind: str
    outcome: str
    event: str = ""
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        return {**vars(self)}


@dataclass(frozen=True)
class Telling:
    """All deliveries of a run, and what else there is to know."""

    deliveries: tuple[Delivery, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What is told of.

    Attributes:
        module: `group:artifact`.
        status: of the module as a whole.
        verdicts: of its versions and segments.
        rules: what they are by.
    """

    module: str
    status: Status
    verdicts: tuple[Verdict, ...]
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True)
class _Job:
    """A channel with what it is to do now; nothing, where nothing is news to it."""

    found: ChannelSettings
    channel: Channel | Meter
    act: Callable[[], None] | None
    event: str
    known: Mapping[str, Told] | None


def tell(
    subject: Subject,
    settings: MonitorSettings,
    folder: Path | None = None,
    *,
    now: datetime | None = None,
    environ: Mapping[str, str] | None = None,
) -> Telling:
    """Tell every channel what is news to it, and publish the gauges.

    Args:
        folder: keeps what was told; without it the one of the settings, or this user's own.
    """
    now = now or datetime.now(UTC)
    ledger = Ledger(settings.state or folder or local.state_folder() / "told", subject.module)
    chosen = [one for one in settings.channels if _is_for(one, subject.module)]
    if not chosen:
        which = (
            f"None of the channels is for {subject.module}" if settings.channels else NO_CHANNELS
        )
        return Telling(problems=(f"Nobody is told. {which}.",))
    with ledger.held() as alone:
        if not alone:
            failed = [Delivery(one.name, one.kind, FAILED) for one in chosen]
            return Telling(tuple(failed), tuple(ledger.problems))
        jobs, deliveries = [], []
        for one, channel in _built(chosen, os.environ if environ is None else environ):
            if isinstance(channel, Delivery):
                deliveries.append(channel)
            else:
                jobs.append(_job(one, channel, subject, settings, ledger, now))
        deliveries += _done(jobs, ledger)
    return Telling(_in_order(deliveries, chosen), tuple(ledger.problems))


def try_out(
    settings: MonitorSettings,
    module: str = "gavial:test",
    *,
    environ: Mapping[str, str] | None = None,
) -> tuple[Delivery, ...]:
    """Send every channel a message that says that it is a test.

    A command is looked for and not run: it might train a model. Gauges are published of a module
    of that name, and taken back.
    """
    now = datetime.now(UTC)
    message = test_message(module, now)
    jobs, deliveries = [], []
    for one, channel in _built(settings.channels, os.environ if environ is None else environ):
        if isinstance(channel, Delivery):
            deliveries.append(channel)
        elif isinstance(channel, Command):
            problem = channel.problem()
            outcome = FAILED if problem else NOT_RUN
            deliveries.append(Delivery(one.name, one.kind, outcome, problem=problem))
        else:
            event = "" if isinstance(channel, Meter) else message.event.value
            jobs.append(_Job(one, channel, _act(channel, message, module, (), now), event, None))
    deliveries += _done(jobs, None)
    for job in jobs:
        if isinstance(job.channel, Meter):
            job.channel.forget(module)
    return _in_order(deliveries, settings.channels)


def _in_order(
    deliveries: Iterable[Delivery], chosen: Sequence[ChannelSettings]
) -> tuple[Delivery, ...]:
    """As the channels are configured, and not as they ended."""
    places = {one.name: at for at, one in enumerate(chosen)}
    return tuple(sorted(deliveries, key=lambda one: places[one.channel]))


def _is_for(one: ChannelSettings, module: str) -> bool:
    return any(fnmatchcase(module, pattern) for pattern in one.modules)


def _built(
    chosen: Iterable[ChannelSettings], environ: Mapping[str, str]
) -> Iterator[tuple[ChannelSettings, Channel | Meter | Delivery]]:
    for one in chosen:
        for exposed in build.exposures(one):
            warn(exposed)
        try:
            yield one, build.built(one, environ)
        except GavialError as error:
            yield one, Delivery(one.name, one.kind, FAILED, problem=str(error))


def _job(
    found: ChannelSettings,
    channel: Channel | Meter,
    subject: Subject,
    settings: MonitorSettings,
    ledger: Ledger,
    now: datetime,
) -> _Job:
    if isinstance(channel, Meter):
        act = _act(channel, None, subject.module, subject.verdicts, now)
        return _Job(found, channel, act, "", None)
    days = REMIND_DAYS if settings.remind_days is None else settings.remind_days
    remind = timedelta(days=days) if days else None
    known = dict(ledger.of(found.name))
    gone = idle.idle(subject.verdicts)
    items = []
    for verdict in subject.verdicts:
        topic = idle.topic(verdict)
        before, retired = known.get(topic), topic in gone
        if retired and before is None:
            continue  # it was gone before anybody looked
        event = news.event_of(verdict, before, subject.rules, now, remind, retired=retired)
        told = event is not None and event in channel.events
        if told and event is not None:
            items.append(Item(event, verdict))
        if not retired or event is not None:
            known[topic] = news.after(
                verdict, before, event, subject.rules, now, told=told, retired=retired
            )
    if not items:
        return _Job(found, channel, None, "", known)
    report = settings.report.replace("{module}", subject.module)
    message = message_of(subject.module, subject.status, items, now, report)
    act = _act(channel, message, subject.module, (), now)
    return _Job(found, channel, act, message.event, known)


def _act(
    channel: Channel | Meter,
    message: Message | None,
    module: str,
    verdicts: Sequence[Verdict],
    now: datetime,
) -> Callable[[], None]:
    if isinstance(channel, Meter):
        gauges = gauges_of(module, verdicts, now)
        return lambda: channel.publish(module, gauges)
    assert message is not None
    return lambda: persist(lambda: channel.send(message))


def _done(jobs: Sequence[_Job], ledger: Ledger | None) -> Iterator[Delivery]:
    """Do all at once, and note each as it ends: a thread that hangs holds up nobody."""
    ended: queue.SimpleQueue[tuple[_Job, Exception | None]] = queue.SimpleQueue()

    def run(job: _Job) -> None:
        error: Exception | None = None
        try:
            if job.act is not None:
                job.act()
        except Exception as caught:
            error = caught
        ended.put((job, error))

    begun = time.monotonic()
    for job in jobs:
        # No thread of a pool: those are waited for when the process ends.
        threading.Thread(target=run, args=(job,), name="gavial-tell", daemon=True).start()
    waiting = list(jobs)
    while waiting:
        end = begun + min(one.channel.seconds for one in waiting)
        try:
            job, error = ended.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            late = [one for one in waiting if begun + one.channel.seconds <= time.monotonic()]
            for one in late:
                waiting.remove(one)
                problem = f"It did not end within {one.channel.seconds:g} seconds."
                yield Delivery(one.found.name, one.found.kind, FAILED, one.event, problem)
            continue
        if job in waiting:
            waiting.remove(job)
            yield _delivery(job, error, ledger)


def _delivery(job: _Job, error: Exception | None, ledger: Ledger | None) -> Delivery:
    name, kind = job.found.name, job.found.kind
    if error is not None and not isinstance(error, PartlyDelivered):
        problem = (
            str(error) if isinstance(error, GavialError) else f"A defect: {type(error).__name__}."
        )
        return Delivery(name, kind, FAILED, job.event, problem)
    problem = str(error) if error is not None else ""
    outcome = TOLD
    if isinstance(job.channel, Meter):
        outcome = PUBLISHED
    elif job.act is None:
        outcome = NOTHING_NEW
    if ledger is not None and job.known is not None:
        try:
            ledger.keep(name, job.known)
        except OSError as failed:
            what = "it will be told again" if job.act else "it will be looked at anew"
            problem = f"{ledger.file} cannot be written ({failed.strerror or failed}): {what}."
    return Delivery(name, kind, outcome, job.event, problem)
