"""What is known of a module's versions, and what became of telling it: a value to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gavial.channels.message import verdict_document
from gavial.monitoring import idle
from gavial.monitoring.verdict import Mark, Status, Verdict, Watched
from gavial.registry.tell import Delivery, Telling

FORMAT = 1


@dataclass(frozen=True, repr=False)
class Monitored:
    """What records say of a module's versions.

    Attributes:
        module: `group:artifact`.
        parts: one for each set of bins; versions of one major share theirs, so that there is one
            as a rule.
        telling: whom was told, where that was asked for.
        notes: what was wrong beside the records, in words.

    >>> Monitored("com.acme:churn", ()).status.exit_code
    5
    """

    module: str
    parts: tuple[Watched, ...]
    telling: Telling = field(default_factory=Telling)
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """The worst of the verdicts: an alert, else `ok` if any is, else `not enough data`.

        One by whose version nothing is scored any more, while others score, does not count.
        """
        return Status.of(one.status for one in self.verdicts if not self.is_idle(one))

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One a version and segment."""
        return tuple(one for part in self.parts for one in part.verdicts)

    @cached_property
    def idle(self) -> frozenset[str]:
        """Of which versions and segments the last windows have no record, as `idle.topic`."""
        return idle.idle(self.verdicts)

    def is_idle(self, verdict: Verdict) -> bool:
        """Whether nothing is scored by a verdict's version any more, while others score."""
        return idle.topic(verdict) in self.idle

    @property
    def problems(self) -> tuple[str, ...]:
        """What was wrong, in words: with the records, and else."""
        found = [*(one for part in self.parts for one in part.problems), *self.notes]
        return tuple(dict.fromkeys(found))

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What happened to the versions meanwhile, in the order of time."""
        found = dict.fromkeys(one for part in self.parts for one in part.marks)
        return tuple(sorted(found, key=lambda one: one.when))

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """What became of each channel."""
        return self.telling.deliveries

    def to_json(self) -> dict[str, Any]:
        """As JSON values: what docs/reference/cli.md describes."""
        return {
            "format": FORMAT,
            "module": self.module,
            "status": self.status.value,
            "verdicts": [{**_verdict(one), "idle": self.is_idle(one)} for one in self.verdicts],
            "marks": [
                {"when": one.when.isoformat(), "what": one.what, "version": one.version}
                for one in self.marks
            ],
            "problems": [*self.problems, *self.telling.problems],
            "deliveries": [one.to_json() for one in self.deliveries],
        }

    def _repr_html_(self) -> str:
        from gavial.reports import notebook

        return "\n".join(map(notebook.fragment, self.parts)) or "<div>There are no records.</div>"

    def __repr__(self) -> str:
        count = len(self.verdicts)
        verdicts = "1 verdict" if count == 1 else f"{count} verdicts"
        return f"<Monitored {self.module}: {self.status}, {verdicts}>"


def _verdict(one: Verdict) -> dict[str, Any]:
    """A verdict with what was measured in its last window, and the status of each window."""
    last = one.results[-1] if one.results else None
    return {
        **verdict_document(one),
        "measured": [] if last is None else list(_measured(last.measured)),
        "windows": [
            {
                "start": result.slot.window.start.isoformat(),
                "end": result.slot.window.end.isoformat(),
                "status": result.status.value,
            }
            for result in one.results
            if result.slot.window is not None
        ],
    }


def _measured(found: Any) -> Iterator[dict[str, Any]]:
    for one in found:
        yield {
            "metric": one.metric,
            "column": one.column,
            "value": one.value,
            "n": one.n,
            "error": one.error,
            "estimated": one.estimated,
            "why": one.why,
        }
