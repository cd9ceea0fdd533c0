"""Explores what several writers can do to one server, in every order, with a crash anywhere.

A global state is the server's files and each writer's place. Everything is a number: files and
nodes are interned, and a move of a writer at a node over files is worked out once. States are
visited breadth first, so that what is found is found by the shortest way.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, NamedTuple

import invariants
from server_models import FOLDER_OF_MODULE, MODULE, REFUSED, UNFINISHED, Files, ServerModel
from writers import Courses, Writer

from gavial.maven import protocol
from gavial.maven.coordinate import Coordinate, Target, Version

NEXT = Target(MODULE, (1, 0))
MAX_STEPS_ALONE = 500


class Pace(Enum):
    """What one settle time is long enough for. It is all that the protocol assumes of time."""

    # From a writer's look at something until the write that relies on it is stored.
    CLIENTS = "nobody stands still: a settle outlasts look and write of whoever is under way"
    # From the server's own look until it has stored; of small files, a jar may take longer.
    SERVER = "clients may stand still, a server does not: a settle outlasts a write it has begun"
    # Nothing: whoever is under way may stand still, client and server.
    NOBODY = "anything may stand still for as long as it likes"


class Place(NamedTuple):
    """Where a writer is: at which moment of its node's step, and whom its settle waits for.

    `looked`: it has looked at something since its last write. `dead`: it was killed; its last
    request may be with the server yet, else it is over.
    """

    node: int
    moment: int = 0
    waits: int = 0
    looked: bool = False
    dead: bool = False


class State(NamedTuple):
    files: int
    places: tuple[Place, ...]


class Move(NamedTuple):
    """What one writer, or the server for it, did: `how` says it."""

    writer: int
    how: str


DEAD = Place(-1, dead=True)
WRITES = protocol.Write | protocol.WriteMetadata | protocol.WriteChecksums


@dataclass
class Found:
    """What an exploration saw."""

    states: int = 0
    ends: int = 0
    depth: int = 0
    seconds: float = 0.0
    complete: bool = True
    steps: int = 0
    bad_states: Counter[str] = field(default_factory=Counter)
    first: dict[str, State] = field(default_factory=dict)

    @property
    def violations(self) -> tuple[str, ...]:
        return tuple(self.first)


class Explorer:
    """Writers, a server, and what they may do to each other."""

    def __init__(
        self,
        model: ServerModel,
        writers: tuple[Writer, ...],
        pace: Pace = Pace.CLIENTS,
        *,
        crashes: int = 9,
        start: Files | None = None,
        repeats: bool = False,
        reduce: bool = True,
        folders_wait: bool = False,
    ) -> None:
        self.repeats, self.reduce, self.folders_wait = repeats, reduce, folders_wait
        self.model, self.writers, self.pace, self.crashes = model, writers, pace, crashes
        after = replace(writers[0], token="next", target=NEXT)
        self.courses = Courses(model, (*writers, after))
        self.files: list[Files] = []
        self._numbers: dict[frozenset[tuple[str, bytes]], int] = {}
        self._moves: dict[tuple[int, int, int], tuple[int, int, int, str]] = {}
        self._always: dict[int, tuple[str, ...]] = {}
        self._results: dict[Any, tuple[str, ...]] = {}
        self._ends: dict[Any, tuple[str, ...]] = {}
        self.parents: dict[State, tuple[State, Move] | None] = {}
        places = tuple(Place(self.courses.start(n)) for n in range(len(writers)))
        self.initial = State(self._number(start or {}), places)

    # What there is ------------------------------------------------------------------------

    def _number(self, files: Files) -> int:
        key = frozenset(files.items())
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.files)
            self.files.append(files)
        return number

    def step_of(self, place: Place) -> protocol.Step | None:
        return None if place.node < 0 else self.courses.nodes[place.node].step

    def alive(self, place: Place) -> bool:
        return not place.dead and self.courses.nodes[place.node].step is not None

    # What can happen ----------------------------------------------------------------------

    def moves(self, state: State, only: int | None = None) -> Iterator[tuple[Move, State, str]]:
        """Each thing that can happen now, the state after it, and what was wrong about it.

        `only` is the writer whose moves are asked for, where not all are.

        Where a writer's next move is its own affair, only its moves are explored: whatever the
        others do first, the outcome is the same.
        """
        deaths = sum(place.dead for place in state.places)
        todo = [n for n, p in enumerate(state.places) if self._can_move(p)]
        if only is not None:
            todo = [n for n in todo if n == only]
        elif self.reduce and len(todo) > 1:
            todo = next(([n] for n in todo if self._private(state, n)), todo)
        for writer in todo:
            place = state.places[writer]
            if place.dead:
                yield from self._late(state, writer, place)
                continue
            step = self.courses.nodes[place.node].step
            if not (isinstance(step, protocol.Settle) and place.waits):
                yield from self._does(state, writer, place)
                if self.repeats:
                    yield from self._twice(state, writer, place, step)
            if deaths < self.crashes:
                yield from self._dies(state, writer, place, step)

    def _can_move(self, place: Place) -> bool:
        return place.node >= 0 and self.courses.nodes[place.node].step is not None

    def _private(self, state: State, writer: int) -> bool:
        """Whether no other writer's move, now or later, can tell this one's from none.

        It is so for the end of a settle; for an answer that is fixed for good; and for files
        (but claim and POM, for which others look) of a number that all others are past, since they
        never go back. Not so for a look that begins what a settle would have to outlast:
        whoever comes to a settle sees it.
        """
        place = state.places[writer]
        node = self.courses.nodes[place.node]
        step = node.step
        if isinstance(step, protocol.Settle):
            return not place.waits
        looks = not isinstance(step, WRITES | protocol.MakeFolder)
        if looks and self.pace is Pace.CLIENTS and not place.looked and not place.dead:
            return False
        path = getattr(step, "path", "")
        if self._settled(state.files, step, path, place.moment):
            return True
        build = _build_of(path)
        looked_for = path.endswith((".pom", "-metadata.xml"))
        if build is None or build != node.build or (looked_for and not looks):
            return False
        return all(
            n == writer or not self._can_move(p) or self._elsewhere(p.node, build)
            for n, p in enumerate(state.places)
        )

    def _settled(self, files: int, step: protocol.Step | None, path: str, moment: int) -> bool:
        """Whether the answer is fixed for good: what is there stays there."""
        there = self.files[files]
        match step:
            case protocol.Exists():
                return self.model.shows_claims and path in there
            case protocol.Write():
                return self.model.refuses and moment == 0 and path in there
            case protocol.MakeFolder():
                return f"{path}/" in there
        return False

    def _elsewhere(self, node: int, build: int) -> bool:
        """Whether a writer there will not touch this number but to look for claim and POM."""
        at = self.courses.nodes[node]
        return at.build > build or (at.committed and at.build != build)

    def _does(self, state: State, writer: int, place: Place) -> Iterator[tuple[Move, State, str]]:
        files, node, moment, wrong = self._moved(state.files, place.node, place.moment)
        step = self.courses.nodes[place.node].step
        over, next_step = moment == 0, self.courses.nodes[node].step
        wrote = over and (files != state.files or isinstance(step, WRITES))
        if self.folders_wait and isinstance(step, protocol.MakeFolder):
            wrote = False  # its answer is a look, and the claim relies on it
        settles = over and isinstance(next_step, protocol.Settle)
        at_rest = settles or next_step is None
        looks = not isinstance(step, protocol.Settle | WRITES)
        after = Place(
            node,
            moment,
            waits=self._waits(state, writer) if settles else 0,
            looked=not (wrote or at_rest) and (looks or place.looked),
        )
        places = _with(state.places, writer, after, wrote or at_rest)
        yield Move(writer, "does"), State(files, places), wrong

    def _twice(
        self, state: State, writer: int, place: Place, step: protocol.Step
    ) -> Iterator[tuple[Move, State, str]]:
        """A proxy repeats what it has stored already, and passes the second answer on."""
        if isinstance(step, protocol.Write) and self.model.refuses:
            files, _, _, wrong = self._moved(state.files, place.node, place.moment)
            if files != state.files:
                after = Place(self.courses.after(place.node, REFUSED))
                places = _with(state.places, writer, after, True)
                yield Move(writer, "does twice"), State(files, places), wrong

    def _dies(
        self, state: State, writer: int, place: Place, step: protocol.Step
    ) -> Iterator[tuple[Move, State, str]]:
        places = _with(state.places, writer, DEAD, True)
        yield Move(writer, "dies"), State(state.files, places), ""
        if self.model.in_flight and isinstance(step, WRITES | protocol.MakeFolder):
            late = place._replace(waits=0, looked=False, dead=True)
            begun = place.moment or isinstance(
                step, protocol.WriteMetadata | protocol.WriteChecksums
            )
            freed = self.pace is Pace.SERVER and not begun
            yield (
                Move(writer, "dies late"),
                State(state.files, _with(state.places, writer, late, freed)),
                "",
            )

    def _late(self, state: State, writer: int, place: Place) -> Iterator[tuple[Move, State, str]]:
        files, _, moment, wrong = self._moved(state.files, place.node, place.moment)
        more = moment and isinstance(self.step_of(place), protocol.Write)
        after = place._replace(moment=moment) if more else DEAD
        places = _with(state.places, writer, after, not more)
        yield Move(writer, "is late"), State(files, places), wrong

    def _waits(self, state: State, writer: int) -> int:
        """Whose writes are stored before a settle that begins now has ended: a bit for each."""
        waits = 0
        for other, place in enumerate(state.places):
            if other != writer and self._outlasted(place):
                waits |= 1 << other
        return waits

    def _outlasted(self, place: Place) -> bool:
        if self.pace is Pace.NOBODY or not self._can_move(place):
            return False
        step = self.courses.nodes[place.node].step
        if isinstance(step, protocol.Write) and step.path.endswith(".jar"):
            return False
        if place.dead or place.moment:
            return True
        return self.pace is Pace.CLIENTS and place.looked

    def _moved(self, files: int, node: int, moment: int) -> tuple[int, int, int, str]:
        key = (files, node, moment)
        move = self._moves.get(key)
        if move is None:
            move = self._moves[key] = self._move(*key)
        return move

    def _move(self, files: int, node: int, moment: int) -> tuple[int, int, int, str]:
        at = self.courses.nodes[node]
        if isinstance(at.step, protocol.Settle):
            return files, self.courses.after(node, None), 0, ""
        assert at.step is not None
        before = self.files[files]
        after, answer = self.model.carry_out(before, at.step, moment, at.writer)
        number = files if after is before else self._number(after)
        wrong = "; ".join(invariants.altered(before, after)) if number != files else ""
        if answer is UNFINISHED:
            return number, node, moment + 1, wrong
        return number, self.courses.after(node, answer), 0, wrong

    # What must hold -----------------------------------------------------------------------

    def wrong(self, state: State) -> tuple[str, ...]:
        """What is wrong in this state, at its end too if it is one."""
        files = state.files
        found = self._always.get(files)
        if found is None:
            found = tuple(invariants.always(self.model, self.files[files]))
            self._always[files] = found
        nodes = self.courses.nodes
        done = tuple(p.node for p in state.places if not p.dead and nodes[p.node].step is None)
        if done:
            found += self._wrong_results(files, done)
            if all(place.dead or place.node in done for place in state.places):
                found += self._wrong_end(state)
        return found

    def _wrong_results(self, files: int, done: tuple[int, ...]) -> tuple[str, ...]:
        known = self._results.get((files, done))
        if known is None:
            results: dict[str, Coordinate] = {}
            found = []
            for number in done:
                node = self.courses.nodes[number]
                writer = self.writers[node.writer]
                if node.result:
                    if writer.releases:
                        results[writer.token] = node.result
                elif self.model.shows_claims and not writer.may_fail(node.error):
                    found.append(f"{writer.token} failed: {node.error}")
            found += invariants.of_results(self.files[files], results)
            known = self._results[files, done] = tuple(found)
        return known

    def is_end(self, state: State) -> bool:
        return not any(self.alive(p) or (p.dead and p.node >= 0) for p in state.places)

    def _wrong_end(self, state: State) -> tuple[str, ...]:
        deaths = any(p.dead for p in state.places)
        if any(p.dead and p.node >= 0 for p in state.places):
            return ()  # a request is with the server yet
        key = (state.files, deaths)
        known = self._ends.get(key)
        if known is None:
            files = self.files[state.files]
            found = []
            if not deaths:
                found += invariants.list_is_right(self.model, files)
                found += invariants.list_checksum_is_right(self.model, files)
                found += self._wasted(files)
            found += self._wrong_next(state.files)
            known = self._ends[key] = tuple(found)
        return known

    def _wasted(self, files: Files) -> Iterator[str]:
        """Where nobody died, each number that somebody took became a release."""
        skips = self.repeats or any(w.may_skip for w in self.writers)
        if self.model.shows_claims and not skips:
            ours = (p.split("/") for p in files if p.startswith(FOLDER_OF_MODULE))
            taken = {parts[3] for parts in ours if len(parts) > 4}
            wasted = sorted(taken - invariants.released(files))
            yield from (f"{v} was wasted, though nobody died" for v in wasted)

    def _wrong_next(self, files: int) -> tuple[str, ...]:
        """What is wrong after one more deploy, alone: it repairs what a crash left."""
        before = invariants.released(self.files[files])
        node, moment = self.courses.start(len(self.writers)), 0
        for _ in range(MAX_STEPS_ALONE):
            if self.courses.nodes[node].step is None:
                break
            files, node, moment, wrong = self._moved(files, node, moment)
            if wrong:
                return (f"next: {wrong}",)
        end = self.courses.nodes[node]
        if not self.model.shows_claims:
            return ()
        if end.result is None:
            return (f"the next deploy failed: {end.error or end.step}",)
        if str(end.result.version) in before:
            return (f"the next deploy took {end.result.version} again",)
        return tuple(
            f"after the next deploy: {w}"
            for w in (
                *invariants.always(self.model, self.files[files]),
                *invariants.list_is_right(self.model, self.files[files]),
                *invariants.list_checksum_is_right(self.model, self.files[files]),
            )
        )

    # Exploring ----------------------------------------------------------------------------

    def explore(
        self, *, depth: int | None = None, states: int | None = None, until: str | None = None
    ) -> Found:
        """Visit every state, to a depth (in moves) or a number of states at most.

        `until`: stop at the first thing wrong that has these words.
        """
        found = Found()
        begin = time.monotonic()
        self.parents = {self.initial: None}
        level = [self.initial]
        while level:
            following: list[State] = []
            for state in level:
                stuck = True
                for move, after, wrong in self.moves(state):
                    stuck = stuck and move.how.startswith("dies")
                    if after in self.parents and not wrong:
                        continue
                    if after not in self.parents:
                        self.parents[after] = (state, move)
                        following.append(after)
                        self._note(found, after, self.wrong(after))
                    if wrong:
                        self._note(found, after, (wrong,))
                if stuck and not self.is_end(state):
                    self._note(found, state, ("all wait for each other",))
                if until is not None and any(until in text for text in found.first):
                    following, found.complete = [], False
                    break
            if not following:
                break
            found.depth += 1
            if (depth and found.depth >= depth) or (states and len(self.parents) > states):
                found.complete = False
                break
            level = following
        found.ends = sum(map(self.is_end, self.parents))
        found.states = len(self.parents)
        found.seconds = time.monotonic() - begin
        found.steps = self.courses.longest()
        return found

    def explore_turns(self, turns: int) -> Found:
        """Visit every state that so many turns lead to; in a turn one writer alone moves on.

        A level of `explore` is a move, so that a bound leaves the ends of long deploys out. This
        bound leaves out what needs many changes from writer to writer, and reaches the ends.
        """
        found = Found(complete=False)
        begin = time.monotonic()
        self.parents = {self.initial: None}
        turn: dict[tuple[State, int], None] = {(self.initial, -1): None}
        seen: dict[tuple[State, int], None] = dict(turn)
        while turn and found.depth < turns:
            found.depth += 1
            following: dict[tuple[State, int], None] = {}
            for state, last in turn:
                for writer in range(len(self.writers)):
                    if writer != last:
                        self._turn(found, state, writer, seen, following)
            turn = following
        found.complete = not turn
        found.ends = sum(map(self.is_end, self.parents))
        found.states, found.steps = len(self.parents), self.courses.longest()
        found.seconds = time.monotonic() - begin
        return found

    def _turn(
        self,
        found: Found,
        state: State,
        writer: int,
        seen: dict[tuple[State, int], None],
        following: dict[tuple[State, int], None],
    ) -> None:
        """All that one writer can do from here on, until another's turn comes."""
        stack = [state]
        while stack:
            state = stack.pop()
            for move, after, wrong in self.moves(state, writer):
                if wrong:
                    self._note(found, after, (wrong,))
                if after not in self.parents:
                    self.parents[after] = (state, move)
                    self._note(found, after, self.wrong(after))
                if (after, writer) not in seen:
                    seen[after, writer] = following[after, writer] = None
                    stack.append(after)

    def _note(self, found: Found, state: State, wrong: tuple[str, ...]) -> None:
        for one in wrong:
            found.bad_states[one] += 1
            found.first.setdefault(one, state)


def _build_of(path: str) -> int | None:
    parts = path.split("/")
    ours = len(parts) > 4 and path.startswith(FOLDER_OF_MODULE)
    version = Version.try_parse(parts[3]) if ours else None
    return version.build if version else None


def _with(places: tuple[Place, ...], writer: int, place: Place, freed: bool) -> tuple[Place, ...]:
    """The places with this one's changed; `freed`: no settle waits for it any longer."""
    bit = 1 << writer
    return tuple(
        place
        if n == writer
        else other._replace(waits=other.waits & ~bit)
        if freed and other.waits & bit
        else other
        for n, other in enumerate(places)
    )
