"""The rules that states are judged by: what a reference teaches, and what a file says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from gavial.monitoring.learned import learn
from gavial.monitoring.metrics import METRICS, Family
from gavial.monitoring.profile import Profile, Reference
from gavial.monitoring.rule_file import Said, Settings, parse
from gavial.monitoring.verdict import Rule


@dataclass(frozen=True)
class RuleSet:
    """All that states are judged by.

    A rule of a file goes before one that was learned of the same metric, column and segment. With
    bounds it takes its place; with a level or a minimum alone it changes only those. Of several in
    the file that speak of one thing, the last one counts.

    Attributes:
        settings: how windows become a verdict.
        said: the rules of the file.
        reference: what versions without a reference of their own are measured by, if nothing is
            nearer.
    """

    settings: Settings = field(default_factory=Settings)
    said: tuple[Said, ...] = ()
    reference: Reference | None = None

    @classmethod
    def of(
        cls, reference: Reference | None, text: str | None = None, *, file: str = "rules.toml"
    ) -> RuleSet:
        """Rules out of a reference and of a file.

        Args:
            reference: what is learned from; `None` learns nothing here.
            text: TOML, as docs/how-to/rules.md has it; `None` is no file.
            file: its name, for messages.

        Raises:
            ConfigurationError: the file has a key that nobody knows, or a value that does not fit.

        >>> rules = RuleSet.of(None, '[[rule]]\\nmetric = "records"\\nlow = 1000')
        >>> [(one.metric, one.low, one.source) for one in rules.rules(Profile("unlabelled"), None)]
        [('records', 1000.0, 'rules.toml')]
        """
        if text is None:
            return cls(reference=reference)
        columns = reference.profile.features if reference else None
        settings, said = parse(text, file, columns)
        return cls(settings, said, reference)

    def rules(
        self, profile: Profile, reference: Reference | None, segment: str = ""
    ) -> tuple[Rule, ...]:
        """The rules for a version's records.

        What a reference teaches is of all records, so that segments have the rules of the file
        alone.

        Args:
            profile: of the states.
            reference: what is learned from.
            segment: "" for all records.
        """
        taught = learn(reference) if reference and self.settings.learned and not segment else ()
        found: dict[tuple[str, str], Rule] = {}
        for rule in taught:
            minimum = self.settings.minimum
            found[rule.metric, rule.column] = replace(rule, minimum=minimum)
        for said in self.said:
            if said.segment not in (None, segment):
                continue
            for column in _columns(said, profile):
                key = said.metric, column
                changed = _changed(found.pop(key, None), said, column, self.settings)
                if changed is not None:
                    found[key] = changed
        return tuple(found.values())


def _columns(said: Said, profile: Profile) -> Iterator[str]:
    if said.column is not None:
        yield said.column
    else:
        yield from profile.features


def _changed(before: Rule | None, said: Said, column: str, settings: Settings) -> Rule | None:
    if said.off:
        return None
    if not said.bounded:
        if before is None:
            return None
        level = said.level or before.level
        minimum = before.minimum if said.minimum is None else said.minimum
        return replace(before, level=level, minimum=minimum)
    least = 0 if METRICS[said.metric].family is Family.VOLUME else settings.minimum
    rule = Rule(said.metric, column, said.low, said.high, least, said.source)
    return replace(
        rule,
        minimum=least if said.minimum is None else said.minimum,
        level=said.level or rule.level,
        expected=before.expected if before else None,
        why=f"{said.source} says so",
    )
