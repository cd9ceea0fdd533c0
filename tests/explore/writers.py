"""Writers that run the very `publish` generator, and remember how it went on.

A deploy is deterministic: its next step is a function of the answers that it has had. Each point
of its course is a *node*; the generator is run again, from its start, only for an answer that no
other schedule gave at that node. Two histories that leave the generator's frames alike (places
and local variables, all the way down) are one node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import GeneratorType
from typing import Any

from invariants import owner
from server_models import (
    FOLDER_OF_MODULE,
    METADATA,
    MIDNIGHT,
    MODULE,
    REFUSED,
    WITHDRAWALS,
    WITHDRAWN,
    ServerModel,
)

from gavial.errors import Conflict, GavialError, NumberTaken, ReleaseExists, RepositoryRefused
from gavial.maven import (
    layout,
    protocol,
    publish,
    record_log,
    transfer,
    version_list,
    withdrawals,
)
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate, Entry, Number, Target, Version
from gavial.maven.metadata import ModuleMetadata
from gavial.maven.record import Claim, Head

# Answers a step in the server's place, from the step before it; `ASK` where the server is asked.
ASK = object()
Shortcut = Callable[[protocol.Step | None, protocol.Step, "Writer"], Any]


@dataclass(frozen=True)
class Writer:
    """One deploy: its token, what it is to release, and how a mutant of it behaves."""

    token: str
    target: Target
    shortcut: Shortcut | None = None
    repack: Callable[[protocol.Packed, Coordinate], protocol.Packed] | None = None

    def steps(self, model: ServerModel) -> protocol.Steps[Coordinate]:
        return publish.publish(self.order(model), self.target)

    def order(self, model: ServerModel) -> publish.Order:
        return publish.Order(self.token, model.lists_itself, self.claim, owner)

    @property
    def releases(self) -> bool:
        """Whether what it was told at its end is its own release."""
        return True

    @property
    def may_skip(self) -> bool:
        """Whether a number that it took may become no release."""
        return self.target.exact is not None

    def may_fail(self, error: GavialError | None) -> bool:
        exact = self.target.exact is not None
        return exact and isinstance(error, ReleaseExists | NumberTaken)

    def claim(self, coordinate: Coordinate) -> bytes:
        return f"{self.token} claims {coordinate}".encode()

    def pack(self, coordinate: Coordinate) -> protocol.Packed:
        jar = Content.of_bytes(f"{self.token} jar of {coordinate}".encode())
        pom = Content.of_bytes(f"{self.token} POM of {coordinate}".encode())
        packed = protocol.Packed(((layout.jar_path(coordinate), jar),), pom)
        return self.repack(packed, coordinate) if self.repack else packed


@dataclass(frozen=True)
class Setter(Writer):
    """Somebody who writes one record, and took the record `after` for the newest."""

    after: int = 0

    def steps(self, model: ServerModel) -> protocol.Steps[Entry]:
        # Whoever comes when all is over only adds one.
        after = None if self.token == "next" else self.after
        order = record_log.RecordOrder(self.token, model.lists_itself, self.claim, owner, _after_of)
        return record_log.append(order, MODULE, MODULE, "alias", after)

    @property
    def may_skip(self) -> bool:
        return True

    def may_fail(self, error: GavialError | None) -> bool:
        return isinstance(error, Conflict)

    def claim(self, coordinate: Coordinate) -> bytes:
        return Claim(self.token, self.after).render(coordinate)

    def pack(self, coordinate: Coordinate) -> protocol.Packed:
        packed = super().pack(coordinate)
        pom = Head(coordinate, "alias", MODULE, "").render(self.token)
        return protocol.Packed(packed.files, Content.of_bytes(pom))


@dataclass(frozen=True)
class Promoter(Writer):
    """A promotion of the exact version of `target`: its bytes are those of the source's deploy.

    `token` is that deploy's, so all promotions of a release have it. `resumed`: it was cut short
    before.
    """

    resumed: bool = False

    def steps(self, model: ServerModel) -> protocol.Steps[Coordinate]:
        if self.token == "next":
            return super().steps(model)
        return self.promotion(model)

    def promotion(self, model: ServerModel) -> protocol.Steps[Coordinate]:
        assert self.target.exact is not None
        coordinate = Coordinate(MODULE, self.target.exact)
        claim = Content.of_bytes(self.claim(coordinate))
        cargo = transfer.Cargo(coordinate, claim, self.pack(coordinate))
        yield from transfer.transfer(cargo, lists_itself=model.lists_itself, resumed=self.resumed)
        return coordinate


@dataclass(frozen=True)
class Withdrawer(Writer):
    """Somebody who withdraws the exact version of `target`: a record in two writes, then the list.

    How a record comes to be is explored with `Setter`.
    """

    @property
    def releases(self) -> bool:
        return False

    @property
    def may_skip(self) -> bool:
        return False

    def steps(self, model: ServerModel) -> protocol.Steps[Coordinate]:
        assert self.target.exact is not None
        record = Entry(WITHDRAWALS, Number(1))
        head = Head(record, withdrawals.KIND, MODULE, "", withdrawals.fact([self.target.exact]))
        yield protocol.Write(layout.pom_path(record), Content.of_bytes(head.render(self.token)))
        listed = ModuleMetadata(WITHDRAWALS, ("1",)).render(MIDNIGHT)
        yield protocol.Write(WITHDRAWN, Content.of_bytes(listed))
        coordinate = Coordinate(MODULE, self.target.exact)
        yield from version_list.bring_up_to_date(coordinate, lists_itself=model.lists_itself)
        return coordinate


def _after_of(claim: bytes) -> int | None:
    found = Claim.parse(claim)
    return found.after if found else None


@dataclass
class Node:
    """A point in a writer's course: its next step, or how it ended."""

    writer: int
    history: tuple[Any, ...]
    build: int = -1  # of the number that it is at
    committed: bool = False  # its POM is stored: it goes on to no other number
    step: protocol.Step | None = None
    result: Coordinate | None = None
    error: GavialError | None = None


class Course:
    """A generator under way, past every step that no server need answer."""

    def __init__(self, model: ServerModel, writer: Writer) -> None:
        self.model, self.writer = model, writer
        self.steps = writer.steps(model)
        self.step: protocol.Step | None = None
        self.result: Coordinate | None = None
        self.error: GavialError | None = None
        self.send(None)

    def send(self, answer: Any) -> None:
        """Answer the step, and those after it whose answer is known."""
        while True:
            before = self.step
            if answer is REFUSED:
                answer = RepositoryRefused(f"{before} was refused")
            try:
                self.step = self.steps.send(answer)
            except StopIteration as end:
                self.step, self.result = None, end.value
                return
            except GavialError as error:
                self.step, self.error = None, error
                return
            answer = self._known(before, self.step)
            if answer is ASK:
                return

    def _known(self, before: protocol.Step | None, step: protocol.Step) -> Any:
        if isinstance(step, protocol.Pack):
            return self.writer.pack(step.coordinate)
        if self.model.constant(step):
            return self.model.carry_out({}, step, 0)[1]
        return self.writer.shortcut(before, step, self.writer) if self.writer.shortcut else ASK

    def place(self) -> tuple[Any, ...]:
        """Where the generator stands: the places and variables of all its frames."""
        if self.step is None:
            return (self.result, type(self.error))
        frames = []
        steps: Any = self.steps
        while isinstance(steps, GeneratorType):
            frame = steps.gi_frame
            inner = [v for v in frame.f_locals.values() if isinstance(v, GeneratorType)]
            variables = {k: _frozen(v) for k, v in frame.f_locals.items() if v not in inner}
            frames.append((frame.f_code.co_name, frame.f_lasti, repr(variables)))
            steps = steps.gi_yieldfrom or (inner[0] if inner else None)  # a mutant wraps one
        # The step itself too: a mutant's shortcut looks at it, and it is cheap.
        return (*frames, repr(self.step))


def _frozen(value: Any) -> Any:
    return sorted(map(repr, value)) if isinstance(value, set | frozenset) else value


class Courses:
    """All nodes of all writers, by number."""

    def __init__(self, model: ServerModel, writers: tuple[Writer, ...]) -> None:
        self.model, self.writers = model, writers
        self.nodes: list[Node] = []
        self._by_place: dict[tuple[Any, ...], int] = {}
        self._next: dict[tuple[int, Any], int] = {}

    def start(self, writer: int) -> int:
        return self._node(writer, (), None, None, Course(self.model, self.writers[writer]))

    def after(self, node: int, answer: Any) -> int:
        """The node that this answer leads to."""
        known = self._next.get((node, answer))
        if known is None:
            at = self.nodes[node]
            course = Course(self.model, self.writers[at.writer])
            for earlier in (*at.history, answer):
                course.send(earlier)
            known = self._node(at.writer, (*at.history, answer), at, answer, course)
            self._next[node, answer] = known
        return known

    def longest(self) -> int:
        """The most answers that a writer may need, on whatever way, to its end."""
        ways: dict[int, list[int]] = {}
        for (node, _), after in self._next.items():
            ways.setdefault(node, []).append(after)
        length: dict[int, int] = {}
        stack = list(ways)
        while stack:
            node = stack[-1]
            todo = [n for n in ways.get(node, ()) if n not in length]
            if todo:
                stack += todo
            else:
                length[stack.pop()] = 1 + max((length[n] for n in ways.get(node, ())), default=-1)
        return max(length.values(), default=0)

    def _node(
        self,
        writer: int,
        history: tuple[Any, ...],
        before: Node | None,
        answer: Any,
        course: Course,
    ) -> int:
        place = (writer, *course.place())
        number = self._by_place.get(place)
        if number is None:
            number = self._by_place[place] = len(self.nodes)
            node = Node(writer, history, -1, False, course.step, course.result, course.error)
            if before:
                node.committed = before.committed or (answer is None and _commits(before.step))
                node.build = _build(course.step, before.build, node.committed)
            self.nodes.append(node)
        return number


def _commits(step: protocol.Step | None) -> bool:
    return isinstance(step, protocol.Write) and step.path.endswith(".pom")


def _build(step: protocol.Step | None, before: int, committed: bool) -> int:
    """The build that a writer is at. It never goes back, and after its commit it stays.

    It does look at claims and POMs of other numbers, to list them.
    """
    path = getattr(step, "path", "")
    parts = path.split("/")
    ours = path.startswith(FOLDER_OF_MODULE) and not path.startswith(f"{METADATA}/")
    elsewhere = path.endswith(".pom") or len(parts) < 5 or not ours
    if elsewhere or (committed and isinstance(step, protocol.Exists)):
        return before
    record = Number.try_parse(parts[3])
    if record:  # whose writers look up and down
        return before
    build = Version.parse(parts[3]).build
    assert build == before or (build > before and not committed), f"from {before} to {path}"
    return build
