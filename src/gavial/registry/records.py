"""Records beside a model, written and read: the one way for aliases, withdrawals and decisions.

A record is a POM for resolvers and a JSON file for people: who, when and why. See
`gavial.maven.record`.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from gavial import limits
from gavial.errors import (
    ConfigurationError,
    CorruptRelease,
    IncompatibleModel,
    InvalidCoordinate,
)
from gavial.maven import layout, protocol, record, record_log
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Entry, Module
from gavial.maven.drive import Driver
from gavial.maven.record import Claim, Head
from gavial.maven.repository import Repository
from gavial.model import json_values
from gavial.model.manifest import check_format
from gavial.registry import local

FORMAT = 1
OWNER_VARIABLE = "GAVIAL_OWNER"
LONGEST_REASON = 2_000  # characters
RELEASE = "release"  # the fact that names the release of a decision or an approval

# Makes the signature over a record's files, by name.
Sign = Callable[[Mapping[str, bytes]], bytes]


@dataclass(frozen=True)
class Author:
    """Who writes a record, when and why.

    Attributes:
        why: in a sentence.
        owner: who answers for it, where that is not the user.
        who: the user, as far as the system knows.
        when: the time in UTC, as ISO 8601 has it.
    """

    why: str = ""
    owner: str = field(default_factory=lambda: os.environ.get(OWNER_VARIABLE, ""))
    who: str = field(default_factory=local.user_name)
    when: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @classmethod
    def of(cls, why: str, owner: str | None) -> Author:
        """This user, now. `owner` is the configured one where it is `None`."""
        return cls(why) if owner is None else cls(why, owner)

    def check(self) -> None:
        """Refuse what could not be written.

        Raises:
            ConfigurationError: a text is too long, or no text.
        """
        for name, text in (("why", self.why), ("owner", self.owner)):
            if len(text) > LONGEST_REASON:
                raise ConfigurationError(
                    f"{name} has {len(text)} characters: expected {LONGEST_REASON} at most."
                )
            try:
                json_values.check(text)
            except ValueError as error:
                raise ConfigurationError(f"{name} cannot be written: {error}.") from error


@dataclass(frozen=True)
class Draft:
    """A record that is to be written.

    Attributes:
        module: where its records lie, such as `com.acme:churn-champion`.
        model: the model that it stands beside.
        kind: what it is about, such as `alias`.
        author: who, when and why.
        description: a sentence for the POM.
        facts: what a resolver must know, in the POM.
        target: the release that it points at.
        body: what else there is to say, as JSON values.
    """

    module: Module
    model: Module
    kind: str
    author: Author
    description: str
    facts: Mapping[str, str] = field(default_factory=dict)
    target: Coordinate | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """A record that is there: its POM, who, when and why, and what else it says."""

    head: Head
    author: Author
    body: Mapping[str, Any]

    @property
    def number(self) -> int:
        return self.head.entry.number


def write(
    store: Repository, draft: Draft, *, after: int | None = None, sign: Sign | None = None
) -> Record:
    """Write one more record.

    Args:
        after: the number of the record that the writer took for the newest, 0 for none. `None`
            where it does not matter to it.
        sign: makes a signature over the POM and the JSON file, which is stored beside them.

    Raises:
        Conflict: another record is the newest, or another writer was faster.
        ConfigurationError: the record would be too large.
        InvalidCoordinate: the module is a model, or has records of something else.
        RepositoryError: the repository refuses.
    """
    draft.author.check()
    token = secrets.token_hex(16)
    written: dict[Entry, Head] = {}

    def pack(entry: Entry) -> protocol.Packed:
        written[entry], packed = _pack(draft, entry, sign)
        return packed

    _pack(draft, Entry(draft.module, record.HIGHEST), None)  # too large? Before a number is taken
    order = record_log.RecordOrder(
        token,
        store.lists_itself,
        lambda entry: Claim(token, after).render(entry),
        _token_of,
        _after_of,
    )
    steps = record_log.append(order, draft.module, draft.model, draft.kind, after)
    entry = Driver(store, pack).run(steps)
    return Record(written[entry], draft.author, draft.body)


def current(store: Repository, module: Module, model: Module, kind: str) -> Head | None:
    """The newest record, for a writer: one that a crash left unlisted is listed first.

    Raises:
        InvalidCoordinate: the module is a model, or has records of something else.
    """
    steps = record_log.catch_up(module, model, kind, lists_itself=store.lists_itself)
    return Driver(store).run(steps)


def read(store: Repository, head: Head) -> Record:
    """What a record says beside its POM.

    Raises:
        CorruptRelease: it is not what the POM says, or malformed, or too large.
        IncompatibleModel: a later Gavial wrote it.
    """
    what = f"The details of {head.entry}"
    data = store.read(layout.details_path(head.entry))
    if data is None:
        raise CorruptRelease(f"{what} are missing in repository {store.id!r} ({store.url}).")
    if len(data) > limits.RECORD:
        raise CorruptRelease(
            f"{what} have {len(data)} bytes: a file of a record has {limits.RECORD} at most."
        )
    if Content.of_bytes(data).digests["sha256"] != head.details:
        raise CorruptRelease(f"{what} are not those that its POM was written with.")
    try:
        content = json_values.loads(data)
        if not isinstance(content, dict):
            raise TypeError("not a JSON object")
        check_format(content.get("format"), FORMAT, what)
        if content.get("record") != str(head.entry):
            raise ValueError(f"they are those of {content.get('record')!r:.80}")
        texts = {name: content.get(name, "") for name in ("why", "owner", "who", "when")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise TypeError("who, when and why are no texts")
        body = content.get("body", {})
        if not isinstance(body, dict):
            raise TypeError("their body is no JSON object")
    except (ValueError, TypeError) as error:
        raise CorruptRelease(f"{what} cannot be read: {error}.") from error
    return Record(head, Author(**texts), body)


def history(
    store: Repository,
    module: Module,
    check: Callable[[Head], None] = lambda _: None,
    most: int | None = None,
) -> Iterator[Record]:
    """Every record of a module, newest first. A number that is claimed and no more is left out.

    Args:
        check: raises where a record is not of what it is read as.
        most: so many of the newest alone.

    Raises:
        CorruptRelease, IncompatibleModel: as `read`.
    """
    for head in heads(store, module, most):
        if not isinstance(head, Head):
            raise head
        check(head)
        yield read(store, head)


def heads(
    store: Repository, module: Module, most: int | None = None
) -> Iterator[Head | CorruptRelease | IncompatibleModel]:
    """What the POM of each record says, newest first; where one cannot be read, why.

    For readers of whom most records are no concern. `most` is how many of the newest are read; a
    number that is claimed and no more is left out.
    """
    for number in islice(reversed(Driver(store).run(record.numbers(module))), most):
        entry = Entry(module, number)
        pom = store.read(layout.pom_path(entry))
        if pom is not None:
            try:
                yield Head.parse(pom, entry)
            except (CorruptRelease, IncompatibleModel) as error:
                yield error


def of_release(
    store: Repository, module: Module, kind: str, coordinate: Coordinate, most: int | None = None
) -> Iterator[Head | CorruptRelease | IncompatibleModel]:
    """As `heads`, of those that name a release, and where one is not of its kind, why."""
    for head in heads(store, module, most):
        if not isinstance(head, Head):
            yield head
        elif head.facts.get(RELEASE) == str(coordinate):
            try:
                record.check(head, kind, coordinate.module)
            except (CorruptRelease, IncompatibleModel) as error:
                yield error
            else:
                yield head


def _pack(draft: Draft, entry: Entry, sign: Sign | None) -> tuple[Head, protocol.Packed]:
    details = _details(draft, entry)
    digest = Content.of_bytes(details).digests["sha256"]
    head = Head(entry, draft.kind, draft.model, digest, draft.facts, draft.target)
    pom = head.render(draft.description)
    for data in (details, pom):
        if len(data) > limits.RECORD:
            raise ConfigurationError(
                f"A record of {draft.module} would have a file of {len(data)} bytes, and readers "
                f"take {limits.RECORD} at most."
            )
    files = {layout.details_path(entry): details}
    if sign is not None:
        named = {**files, layout.pom_path(entry): pom}
        by_name = {path.rpartition("/")[2]: data for path, data in named.items()}
        files[layout.signature_path(entry)] = sign(by_name)
    contents = tuple((path, Content.of_bytes(data)) for path, data in files.items())
    return head, protocol.Packed(contents, Content.of_bytes(pom))


def _details(draft: Draft, entry: Entry) -> bytes:
    content = {
        "format": FORMAT,
        "record": str(entry),
        "kind": draft.kind,
        "model": str(draft.model),
        "who": draft.author.who,
        "owner": draft.author.owner,
        "when": draft.author.when,
        "why": draft.author.why,
        "target": str(draft.target) if draft.target else None,
        "body": dict(draft.body),
    }
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False).encode() + b"\n"


def _token_of(claim: bytes) -> str | None:
    found = Claim.parse(claim)
    return found.token if found else None


def _after_of(claim: bytes) -> int | None:
    found = Claim.parse(claim)
    return found.after if found else None


def beside(store: Repository, model: Module) -> tuple[Module, ...] | None:
    """The modules whose name begins with a model's: its records, and perhaps other models.

    `None` where the repository has neither a listing nor a search.
    """
    prefix = f"{model.artifact}-"
    names = store.names(model.group.replace(".", "/"))
    if names is None:
        indexed = store.indexed()
        if indexed is None:
            return None
        names = tuple(artifact for group, artifact in indexed if group == model.group)
    found = []
    for name in sorted({one for one in names if one.startswith(prefix)}):
        with suppress(InvalidCoordinate):  # not a name that Gavial gave
            found.append(Module(model.group, name))
    return tuple(found)
