"""Records beside a model, and withdrawals, under every order of their writers' steps."""

from __future__ import annotations

from dataclasses import replace

import invariants
import pytest
from explorer import Explorer, Pace
from mutants import TARGET
from run import is_loss
from server_models import FOLDER, KEEPS_LIST, MAKES_FOLDERS, MODULE, REFUSES, REFUSES_AT_ONCE
from test_explore import named, run_alone
from writers import Setter, Withdrawer, Writer

from gavial.maven import record_log, version_list
from gavial.maven.coordinate import Target

SETTERS = tuple(Setter(f"w{n}", Target(MODULE, (1, 0))) for n in range(2))


def winners(explorer, state):
    nodes = [explorer.courses.nodes[p.node] for p in state.places if not p.dead]
    return sum(node.result is not None for node in nodes)


def survivors(state):
    return sum(not place.dead for place in state.places)


@pytest.mark.parametrize(
    "model", [FOLDER, REFUSES_AT_ONCE, REFUSES, MAKES_FOLDERS, KEEPS_LIST], ids=named
)
def test_of_two_who_set_an_alias_from_the_same_record_exactly_one_wins(model):
    explorer = Explorer(model, SETTERS)
    found = explorer.explore()
    assert found.complete
    assert found.violations == ()
    ends = [state for state in explorer.parents if explorer.is_end(state)]
    assert {winners(explorer, state) for state in ends if survivors(state) == 2} == {1}
    assert max(winners(explorer, state) for state in ends) == 1


@pytest.mark.parametrize("model", [FOLDER, REFUSES_AT_ONCE, MAKES_FOLDERS], ids=named)
def test_even_where_one_of_them_stands_still_no_two_win_without_knowing(model):
    explorer = Explorer(model, SETTERS, Pace.SERVER)
    found = explorer.explore()
    assert found.complete
    assert not any(map(is_loss, found.violations))
    assert max(winners(explorer, state) for state in explorer.parents) == 1


def no_look(*_):
    """In the place of a look that the protocol has."""
    return
    yield


@pytest.mark.parametrize("model", [FOLDER, REFUSES_AT_ONCE, MAKES_FOLDERS], ids=named)
def test_without_the_looks_before_the_commit_two_win_or_none(model, monkeypatch):
    monkeypatch.setattr(record_log, "_last_look", no_look)
    monkeypatch.setattr(record_log, "_look_back", no_look)
    explorer = Explorer(model, SETTERS, crashes=0)
    explorer.explore()
    assert max(winners(explorer, state) for state in explorer.parents) == 2


@pytest.mark.parametrize("model", [FOLDER, REFUSES_AT_ONCE, MAKES_FOLDERS], ids=named)
def test_without_the_look_back_two_win_where_one_stands_still(model, monkeypatch):
    monkeypatch.setattr(record_log, "_look_back", no_look)
    explorer = Explorer(model, SETTERS, Pace.SERVER, crashes=0)
    explorer.explore()
    assert max(winners(explorer, state) for state in explorer.parents) == 2


def withdrawal_among(deploys, model, **how):
    model = replace(model, withdraws=True)
    old = Writer("old", TARGET)
    first, _ = run_alone(model, {}, old.steps(model), old)
    withdrawer = Withdrawer("withdrawer", Target(MODULE, (1, 0, 0)))
    writers = (*(Writer(f"w{n}", TARGET) for n in range(deploys)), withdrawer)
    return Explorer(model, writers, start=first, **how)


MODELS = pytest.mark.parametrize(
    "model", [FOLDER, REFUSES_AT_ONCE, REFUSES, MAKES_FOLDERS], ids=named
)


@MODELS
def test_a_withdrawal_and_a_deploy_of_which_any_may_die_lose_nothing(model):
    explorer = withdrawal_among(1, model)
    found = explorer.explore()
    assert found.complete
    assert found.violations == ()
    ends = [explorer.files[state.files] for state in explorer.parents if explorer.is_end(state)]
    assert any(invariants.withdrawn(files) for files in ends)


@pytest.mark.parametrize("model", [FOLDER, REFUSES], ids=named)
def test_a_withdrawal_among_two_deploys_stays_out_of_the_list_and_nothing_else_is_lost(model):
    found = withdrawal_among(2, model, crashes=0).explore_turns(3)
    assert found.violations == ()
    assert found.ends > 0


@MODELS
def test_a_deploy_that_does_not_ask_what_is_withdrawn_is_caught(model, monkeypatch):
    asked = version_list._withdrawn

    def never(coordinate):
        if coordinate.version.build == 0:  # whoever withdraws it
            return (yield from asked(coordinate))
        return frozenset()

    monkeypatch.setattr(version_list, "_withdrawn", never)
    found = withdrawal_among(1, model, crashes=0).explore(until="withdrawn and listed")
    assert any(text.endswith("1.0.0 is withdrawn and listed") for text in found.first)
