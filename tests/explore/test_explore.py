"""The publish protocol under every order of its steps, with a crash at every one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import invariants
import pytest
from explorer import Explorer, Found, Move, Pace, State
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutants import MUTANTS, Mutant
from run import is_loss
from schedules import simplest, story, way_to
from server_models import (
    FOLDER,
    HIDES_CLAIMS,
    KEEPS_LIST,
    MAKES_FOLDERS,
    MODELS,
    MODULE,
    OVERWRITES,
    REFUSES,
    REFUSES_AT_ONCE,
    UNFINISHED,
    ServerModel,
)
from writers import Course, Writer

from gavial.errors import RepositoryRefused
from gavial.maven import layout, protocol, publish, version_list
from gavial.maven.coordinate import Target

PLAIN = Mutant("the protocol", ())
PROMISED = [model for model in MODELS if model.promised]
MAX_STEPS = 60  # that a writer needs, whatever two of them do


def named(value: object) -> str | None:
    return getattr(value, "name", None)


each_promised = pytest.mark.parametrize("model", PROMISED, ids=named)


@each_promised
def test_two_writers_of_whom_any_may_die_anywhere_lose_nothing(model):
    found = Explorer(model, PLAIN.writers(2)).explore()
    assert found.complete
    assert found.violations == ()
    assert found.steps <= MAX_STEPS
    assert found.ends > 0


@pytest.mark.parametrize(
    ("model", "pace"),
    [(m, p) for m in PROMISED for p in (Pace.SERVER, Pace.NOBODY) if (m, p) != (REFUSES, p.NOBODY)],
    ids=named,
)
def test_clients_that_stand_still_lose_no_release(model, pace):
    found = Explorer(model, PLAIN.writers(2), pace).explore()
    assert found.complete
    assert not any(map(is_loss, found.violations))


@pytest.mark.parametrize("model", [REFUSES_AT_ONCE, REFUSES, MAKES_FOLDERS], ids=named)
def test_a_client_that_stands_still_takes_no_release_off_the_list(model):
    assert Explorer(model, PLAIN.writers(2), Pace.SERVER).explore().violations == ()


@pytest.mark.parametrize("model", [REFUSES_AT_ONCE, MAKES_FOLDERS], ids=named)
def test_the_list_has_its_own_checksums_unless_two_writers_meet_again_and_again(model):
    explorer = Explorer(replace(model, list_in_parts=True), PLAIN.writers(2), crashes=0)
    found = explorer.explore()
    assert found.complete
    assert all(text.startswith("maven-metadata.xml has a wrong") for text in found.violations)
    for state in found.first.values():
        assert min(lists_written(explorer, state)) >= version_list.MAX_CHECKSUM_ROUNDS


def lists_written(explorer: Explorer, end: State) -> list[int]:
    """How often each writer wrote the list on the shortest way there."""
    count = [0] * len(explorer.writers)
    for state, move in way_to(explorer, end):
        place = state.places[move.writer]
        listing = isinstance(explorer.step_of(place), protocol.WriteMetadata)
        count[move.writer] += listing and place.moment == 0
    return count


@pytest.mark.parametrize("model", [REFUSES_AT_ONCE, REFUSES, KEEPS_LIST], ids=named)
def test_three_writers_lose_nothing_in_three_turns_of_whatever_length(model):
    found = Explorer(model, PLAIN.writers(3), crashes=0).explore_turns(3)
    assert found.violations == ()
    assert found.ends > 0


@each_promised
def test_a_proxy_that_repeats_what_was_stored_loses_nothing(model):
    found = Explorer(model, PLAIN.writers(2), repeats=True).explore()
    assert found.complete
    assert found.violations == ()


@each_promised
@pytest.mark.parametrize(
    "targets",
    [((1, 0), (1, 1)), ((1, 0), (1, 0, 0)), ((1, 0, 0), (1, 0, 0)), ((1, 0), (1, 0, 2))],
    ids=["two lines", "the next and that very one", "the same one", "the next and a later one"],
)
def test_writers_with_other_targets_lose_nothing(model, targets):
    writers = tuple(Writer(f"w{n}", Target(MODULE, t)) for n, t in enumerate(targets))
    found = Explorer(model, writers, crashes=0, reduce=False).explore()
    assert found.complete
    assert found.violations == ()


@pytest.mark.parametrize("model", [FOLDER, REFUSES, MAKES_FOLDERS], ids=named)
def test_a_deploy_that_died_after_its_commit_is_finished_by_its_repetition(model):
    explorer = Explorer(model, PLAIN.writers(1))
    explorer.explore()
    (writer,) = explorer.writers
    finished = 0
    for state in filter(explorer.is_end, explorer.parents):
        files = explorer.files[state.files]
        for version in invariants.released(files):
            steps = publish.finish(writer.order(model), invariants.coordinate(version))
            files, done = run_alone(model, files, steps)
            assert done
            assert list(invariants.list_is_right(model, files)) == []
            finished += 1
    assert finished > 1


def run_alone(model, files, steps, writer=None):
    answer = None
    try:
        while True:
            step, moment = steps.send(answer), 0
            if isinstance(step, protocol.Pack):
                answer = writer.pack(step.coordinate)
                continue
            if isinstance(step, protocol.Settle):
                answer = None
                continue
            files, answer = model.carry_out(files, step, moment)
            while answer is UNFINISHED:
                moment += 1
                files, answer = model.carry_out(files, step, moment)
    except StopIteration as end:
        return files, end.value


def test_where_claims_cannot_be_seen_every_deploy_is_refused():
    explorer = Explorer(HIDES_CLAIMS, PLAIN.writers(2), crashes=0)
    found = explorer.explore()
    nodes = explorer.courses.nodes
    ends = [nodes[p.node] for s in explorer.parents if explorer.is_end(s) for p in s.places]
    assert found.violations == ()
    assert {type(node.error) for node in ends} == {RepositoryRefused}


def test_where_all_may_overwrite_only_a_client_that_stands_still_loses_a_release():
    prompt = Explorer(OVERWRITES, PLAIN.writers(2)).explore()
    assert prompt.complete
    assert prompt.violations == ()
    explorer = Explorer(OVERWRITES, PLAIN.writers(2), Pace.SERVER, crashes=0)

    def doubled(state: State) -> bool:
        return any("both released" in text for text in explorer.wrong(state))

    way = simplest(explorer, doubled)
    assert way is not None
    assert len(list(story(explorer, way))) == 4, "each writer stands still once"


def test_where_a_server_stands_still_between_check_and_store_a_release_can_be_altered():
    found = altered_where_the_server_stands_still(PLAIN)
    assert any("mixed" in text for text in found.violations)


def altered_where_the_server_stands_still(mutant: Mutant) -> Found:
    explorer = Explorer(REFUSES, mutant.writers(2), Pace.NOBODY, crashes=0, reduce=False)
    return explorer.explore(states=20_000)


@pytest.mark.parametrize(
    ("mutant", "model"), [(m, s) for m in MUTANTS for s in m.shows_on], ids=named
)
def test_a_broken_protocol_is_caught(mutant, model):
    assert mutant.caught(mutant.explore(model))


def test_without_crashes_and_with_the_last_look_no_number_goes_to_two(monkeypatch):
    # The mutant without it is caught by just that. Two claims bound what is explored.
    monkeypatch.setattr(publish, "MAX_CLAIMS", 1)
    found = Explorer(REFUSES, PLAIN.writers(2), Pace.NOBODY, crashes=0, reduce=False).explore()
    assert found.complete
    assert not any("both released" in text for text in found.violations)


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_leaving_private_moves_unordered_leaves_no_outcome_out(model):
    ends = []
    for reduce in (False, True):
        explorer = Explorer(model, PLAIN.writers(2), reduce=reduce)
        explorer.explore()
        ends.append({outcome(explorer, s) for s in explorer.parents if explorer.is_end(s)})
    assert ends[0] == ends[1]


def outcome(explorer: Explorer, state: State) -> tuple[object, ...]:
    nodes = explorer.courses.nodes
    results = (
        None if p.dead else (nodes[p.node].result, type(nodes[p.node].error)) for p in state.places
    )
    return (frozenset(explorer.files[state.files].items()), *results)


WRITERS = 4


@pytest.mark.parametrize("model", PROMISED, ids=named)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    turns=st.lists(st.tuples(st.integers(0, WRITERS - 1), st.integers(1, 30)), max_size=30),
    deaths=st.dictionaries(st.integers(0, WRITERS - 2), st.integers(1, 60), max_size=3),
)
def test_four_writers_lose_nothing_in_any_order_that_comes_to_mind(model, turns, deaths):
    walk = Walk(model, deaths)
    for writer, count in turns:
        for _ in range(count):
            walk.go(writer)
    while not walk.explorer.is_end(walk.state):
        for writer in range(WRITERS):
            walk.go(writer)
    left = walk.courses[WRITERS - 1]
    assert left.result if model.shows_claims else left.error, "who is left makes progress"


class Walk:
    """One schedule. Each writer's generator runs beside the explorer, which must agree."""

    explorers: ClassVar[dict[str, Explorer]] = {}

    def __init__(self, model: ServerModel, deaths: dict[int, int]) -> None:
        fresh = Explorer(model, PLAIN.writers(WRITERS), reduce=False)
        self.explorer = self.explorers.setdefault(model.name, fresh)
        self.state, self.deaths = self.explorer.initial, deaths
        self.courses = [Course(model, writer) for writer in self.explorer.writers]
        self.taken = [0] * WRITERS

    def go(self, writer: int) -> None:
        """Let the writer do its next step, or die, if its time has come."""
        self.taken[writer] += 1
        hows = {"is late", "does"}
        if self.deaths.get(writer) == self.taken[writer]:
            hows = {"dies late" if self.taken[writer] % 2 else "dies"}
        for move, after, wrong in self.explorer.moves(self.state):
            if move.writer == writer and move.how in hows:
                self._follow(move, after)
                self.state = after
                assert not wrong
                assert self.explorer.wrong(after) == ()
                return

    def _follow(self, move: Move, after: State) -> None:
        if move.how != "does":
            return
        course, place = self.courses[move.writer], self.state.places[move.writer]
        answer = None
        if not isinstance(course.step, protocol.Settle):
            files = self.explorer.files[self.state.files]
            _, answer = self.explorer.model.carry_out(files, course.step, place.moment, move.writer)
        if answer is not UNFINISHED:
            course.send(answer)
        node = self.explorer.courses.nodes[after.places[move.writer].node]
        assert (repr(course.step), course.result) == (repr(node.step), node.result)


def test_a_list_that_the_server_keeps_may_name_what_is_claimed_and_not_released():
    explorer = Explorer(KEEPS_LIST, PLAIN.writers(1))
    explorer.explore()
    claims = [f for f in explorer.files if f and not invariants.released(f)]
    path = layout.metadata_path(MODULE)
    lists = [explorer.model.carry_out(f, protocol.Read(path), 0)[1] for f in claims]
    assert lists
    assert all(b"1.0.0" in data for data in lists)
