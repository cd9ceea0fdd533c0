"""What is known of a release, question by question, for a terminal and for a page. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gavial.cli import card_view, output
from gavial.reports import html
from gavial.reports.plain import harmless, harmless_lines

if TYPE_CHECKING:
    from gavial.cli.card_view import Rows
    from gavial.model.decision import Decision
    from gavial.registry.looked_up import Lookup, Place
    from gavial.registry.records import Author
    from gavial.registry.testimony import Seal
    from gavial.registry.verdict import Verdict

_INDENT = "  "
_STILL = "still"


@dataclass(frozen=True)
class Table:
    """Rows below headers, and below a title where there are several."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""


@dataclass(frozen=True)
class Answer:
    """One question with what is known.

    Attributes:
        question: as somebody would ask it.
        alarms: what must not be passed over.
        texts: sentences.
        facts: values by name.
        tables: further rows.
        listed: points of a list.
    """

    question: str
    alarms: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    tables: tuple[Table, ...] = ()
    listed: tuple[str, ...] = ()


def answers(found: Lookup) -> list[Answer]:
    """Every question that has an answer, in the order in which they are asked."""
    made = (
        _what(found),
        _who(found),
        _signed(found),
        _promoted(found),
        _gates(found),
        _named(found),
        _before(found),
        _after(found),
        _unknown(found),
    )
    return [one for one in made if one is not None]


def render(found: Lookup) -> None:
    """Write it for a terminal or a pipe."""
    output.heading(str(found.coordinate))
    for answer in answers(found):
        output.line()
        output.heading(answer.question)
        for alarm in answer.alarms:
            output.styled(_INDENT + harmless(f"! {alarm}"), "bold red")
        for text in answer.texts:
            output.line(_INDENT + harmless(text))
        shown = [[harmless(cell) for cell in row] for row in answer.facts]
        for line in output.aligned(shown):
            output.line(_INDENT + line)
        for table in answer.tables:
            if table.title:
                output.line(_INDENT + harmless(table.title))
            output.table(table.headers, table.rows)
        for text in answer.listed:
            output.line(_INDENT + harmless(f"- {text}"))


def page(found: Lookup) -> str:
    """The same as a page."""
    places = ", ".join(one.id for one in found.places)
    return html.render("lookup.html", str(found.coordinate), answers=answers(found), places=places)


def _what(found: Lookup) -> Answer:
    card = found.card
    alarms = list(found.alarms)
    alarms += [
        f"Withdrawn in {one.id}: {one.withdrawn.why} {_by(one.withdrawn)}"
        for one in found.holders
        if one.withdrawn is not None
    ]
    facts: Rows = [("release", str(found.coordinate))]
    if card is not None:
        classes = [card_view.class_name(str(one.get("class", ""))) for one in card.pipeline]
        facts += [
            ("stages", ", ".join(classes)),
            ("writes", f"its version into the column {card.watermark}" if card.watermark else ""),
            ("intended use", _line(card.intended_use)),
            ("limits", _line(card.limits)),
            ("labels", ", ".join(f"{name}={value}" for name, value in card.labels.items())),
        ]
    facts += [(f"in {one.id}", _place(one)) for one in found.places]
    same = len({one.sha256 for one in found.holders}) == 1 and len(found.holders) > 1
    if same:
        facts.append(("compared", "card and list of files are the same bytes in all of them"))
    return Answer(
        "What scored this?",
        tuple(alarms),
        tuple(harmless_lines(card.description)) if card and card.description else (),
        _filled(facts),
    )


def _who(found: Lookup) -> Answer | None:
    card = found.card
    if card is None:
        return None
    facts: Rows = [
        ("author", card.author),
        ("answers for it", card.owner),
        ("when", _at(card.created)),
        ("code", card_view.commit(card)),
        ("script", card.script),
        ("trained on", _data(card.training_data)),
        ("metrics", ", ".join(f"{name} {value}" for name, value in card_view.metrics(card))),
        ("measured on", _data(card.metrics_on)),
        ("further facts", ", ".join(f"{k}: {card_view.plain(v)}" for k, v in card.fields.items())),
        ("with", ", ".join(f"{name} {value}" for name, value in card.environment.items())),
        ("libraries", ", ".join((*card.libraries, *card.python_modules))),
    ]
    texts = []
    if len({one.sha256 for one in found.holders}) > 1 and found.source is not None:
        texts.append(f"As the card in {found.source.id} says it; others differ.")
    if not card.training_data:
        texts.append("The card does not say what it was trained on.")
    return Answer(
        "Who made it, on what data, from which code?", texts=tuple(texts), facts=_filled(facts)
    )


def _signed(found: Lookup) -> Answer:
    judged = [(one.id, one.signature) for one in found.holders if one.signature is not None]
    rows = tuple((name, one.signer or "nobody", _trusted(one)) for name, one in judged)
    return Answer(
        "Who signed it?",
        texts=() if rows else ("That could not be found out.",),
        tables=(Table(("repository", "signed by", "trusted"), rows),) if rows else (),
    )


def _trusted(one: Verdict) -> str:
    if one.accepted:
        return f"yes, by {one.rules}"
    if one.accepted is None:
        return "no trust policy asks"
    return f"NO: {one.detail}"


def _promoted(found: Lookup) -> Answer:
    """Approvals and decisions, in the order of time."""
    approvals = [
        (_at(each.approval.when), one.id, each.approval.who, each.approval.why, _sealed(each.seal))
        for one in found.places
        for each in one.approvals
    ]
    decided = [
        (
            _at(each.decision.when),
            _what_came(each.decision),
            _person(each.decision),
            each.decision.why,
            _sealed(each.seal),
        )
        for one in found.places
        for each in one.decisions
    ]
    tables = []
    if approvals:
        headers = ("approved", "in", "by", "why", "signed")
        tables.append(Table(headers, tuple(sorted(approvals))))
    if decided:
        headers = ("decided", "what", "by", "why", "signed")
        tables.append(Table(headers, tuple(sorted(decided))))
    texts = [
        f"No promotion on record brought it to {one.id}."
        for one in found.holders
        if not any(each.decision.passed for each in one.decisions)
    ]
    return Answer(
        "Who approved it, and who promoted it?",
        texts=tuple(texts),
        tables=tuple(tables),
    )


def _gates(found: Lookup) -> Answer | None:
    """Every gate of every decision, with the policy that asked."""
    decided = [each.decision for one in found.places for each in one.decisions]
    if not decided:
        return None
    policies = {one.policy.sha256: one.policy.source for one in decided if one.policy}
    tables = [
        Table(
            ("gate", "passed", "what was found"), _rows(one), f"{_what_came(one)}, {_at(one.when)}"
        )
        for one in sorted(decided, key=lambda one: one.when)
    ]
    return Answer(
        "By which policy, and what did it find?",
        texts=() if policies else ("No policy was asked.",),
        facts=tuple((source, f"sha256 {sha256}") for sha256, source in policies.items()),
        tables=tuple(tables),
    )


def _rows(one: Decision) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            gate.name,
            "yes" if gate.passed else "NO",
            "; ".join(dict.fromkeys((gate.evidence, *gate.problems))),
        )
        for gate in one.gates
    )


def _what_came(one: Decision) -> str:
    return f"{one.outcome}, {one.source.id} to {one.target.id}"


def _sealed(seal: Seal) -> str:
    if not seal.key:
        return "not signed" if seal.accepted is None else f"NO: {seal.problem}"
    if seal.accepted is None:
        return f"says key {_short(seal.key)}, which no policy here names"
    return f"by key {_short(seal.key)}" if seal.accepted else f"NO: {seal.problem}"


def _named(found: Lookup) -> Answer:
    rows = [
        (
            f"{_at(each.since.when)} by {_person(each.since)}",
            each.alias,
            one.id,
            f"{_at(each.until.when)} by {_person(each.until)}" if each.until else _STILL,
            str(each.then.version) if each.then else "",
            _reasons(each.since, each.until),
        )
        for one in found.places
        for each in one.tenures
    ]
    headers = ("from", "alias", "in", "until", "then", "why")
    return Answer(
        "Which names did it have, and when?",
        texts=() if rows else ("No alias was ever set to it, as far as could be read.",),
        tables=(Table(headers, tuple(sorted(rows))),) if rows else (),
    )


def _before(found: Lookup) -> Answer | None:
    card = found.card
    if card is None:
        return None
    question = "What did it replace?"
    replaced = card_view.replaces(card)
    if replaced is None:
        return Answer(question, texts=("Its card names no release before it.",))
    texts = []
    if replaced["why"]:
        texts.append(f"It was not compared: {replaced['why']}")
    if replaced["same"]:
        texts.append("Stages, parameters and columns are the same.")
    alarms: tuple[str, ...] = ()
    if replaced["refused"]:
        alarms = (
            f"It may break who uses the one before it ({'; '.join(replaced['refused'])}), and was "
            f"released all the same, because: {replaced['allowed']}",
        )
    changes = [f"{name}: {text}" for name, texts in replaced["changes"] for text in texts]
    return Answer(
        question,
        alarms,
        tuple(texts),
        (("release", str(replaced["coordinate"])),),
        listed=tuple(changes),
    )


def _after(found: Lookup) -> Answer:
    facts: Rows = []
    listed = []
    for one in found.holders:
        where = f" in {one.id}" if len(found.holders) > 1 else ""
        if one.following is None:
            facts.append((f"next release{where}", "none"))
        else:
            made = f", {_at(one.following.created)}" if one.following.created else ""
            by = f" by {one.following.author}" if one.following.author else ""
            facts.append((f"next release{where}", f"{one.following.coordinate}{made}{by}"))
        if one.newest and (one.following is None or one.newest != one.following.coordinate):
            facts.append((f"newest{where}", str(one.newest)))
        for each in one.tenures:
            if each.until is not None and each.then is not None:
                listed.append(
                    f"The alias {each.alias}{where} went to {each.then.version}, "
                    f"{_at(each.until.when)}, by {_person(each.until)}. {each.until.why}".strip()
                )
        for event in one.withdrawals:
            what = "Withdrawn" if event.is_withdrawn else "Taken back in"
            listed.append(f"{what}{where}: {event.why} {_by(event)}")
    return Answer("What replaced it?", facts=tuple(facts), listed=tuple(listed))


def _unknown(found: Lookup) -> Answer | None:
    listed = [f"{name}: it gave no answer. {why}" for name, why in found.unavailable.items()]
    listed += [f"{one.id}: {text}" for one in found.places for text in one.unread]
    return Answer("What could not be found out?", listed=tuple(listed)) if listed else None


def _place(one: Place) -> str:
    if not one.released:
        return f"not there ({one.url})"
    return f"{one.url}, sha256 of the card {one.sha256 or 'not known'}"


def _data(about: Any) -> str:
    return ", ".join(
        f"{name} {value}" for name, value in card_view.data(about) if name != "columns"
    )


def _short(key: str) -> str:
    """A fingerprint as far as a table has room for it; `--json` has all of it."""
    return f"{key[:16]}…" if len(key) > 16 else key


def _at(when: str) -> str:
    """A time; UTC as `Z`, which a narrow column does not break."""
    return f"{when.removesuffix('+00:00')}Z" if when.endswith("+00:00") else when


def _by(one: Any) -> str:
    return f"({_person(one)}, {_at(one.when)})"


def _person(one: Author | Any) -> str:
    """Who did it, and who answers for it where that is another."""
    return f"{one.who} for {one.owner}" if one.owner and one.owner != one.who else one.who


def _reasons(since: Author, until: Author | None) -> str:
    then = f"; then: {until.why}" if until and until.why else ""
    return f"{since.why}{then}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _filled(rows: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in rows if value)
