"""Ways through what was explored: how many there are, the simplest one, and how it reads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from explorer import Explorer, Move, State
from server_models import REFUSED, UNFINISHED

from gavial.maven import protocol

Way = tuple[tuple[State, Move], ...]


def count(explorer: Explorer, bad: Callable[[State], bool]) -> tuple[int, int]:
    """The number of ways to an end, and of those to a bad one."""
    ways: dict[State, tuple[int, int]] = {}
    stack = [explorer.initial]
    while stack:
        state = stack[-1]
        following = [after for _, after, _ in explorer.moves(state)]
        todo = [after for after in following if after not in ways]
        if todo:
            stack += todo
            continue
        stack.pop()
        if following:
            both = [ways[after] for after in following]
            ways[state] = (sum(all_ for all_, _ in both), sum(lost for _, lost in both))
        else:
            ways[state] = (1, int(bad(state)))
    return ways[explorer.initial]


def simplest(explorer: Explorer, bad: Callable[[State], bool]) -> Way | None:
    """The way to a bad state with the fewest changes from one writer to another."""
    start = (explorer.initial, -1)
    before: dict[Any, tuple[Any, Move] | None] = {}
    queue: deque[tuple[Any, tuple[Any, Move] | None]] = deque([(start, None)])
    while queue:
        key, came = queue.popleft()
        if key in before:
            continue
        before[key] = came
        if bad(key[0]):
            return _way(before, key)
        for move, after, _ in explorer.moves(key[0]):
            following = ((after, move.writer), (key, move))
            queue.appendleft(following) if move.writer == key[1] else queue.append(following)
    return None


def way_to(explorer: Explorer, state: State) -> Way:
    """The shortest way to a state that was visited."""
    return _way(explorer.parents, state)


def _way(before: Any, key: Any) -> Way:
    way: list[tuple[State, Move]] = []
    while (came := before[key]) is not None:
        key, move = came
        way.append((key if isinstance(key, State) else key[0], move))
    return tuple(reversed(way))


def story(explorer: Explorer, way: Way) -> Iterator[str]:
    """The way in words: a line for each writer's turn."""
    turn: list[str] = []
    writer = -1
    for state, move in way:
        if move.writer != writer and turn:
            yield f"{explorer.writers[writer].token}: {'; '.join(turn)}"
            turn = []
        writer = move.writer
        text = _told(explorer, state, move)
        if text:
            turn.append(text)
    if turn:
        yield f"{explorer.writers[writer].token}: {'; '.join(turn)}"


def _told(explorer: Explorer, state: State, move: Move) -> str:
    place = state.places[move.writer]
    step = explorer.step_of(place)
    if move.how.startswith("dies"):
        return "is killed" + (", its request on the way" if move.how == "dies late" else "")
    if isinstance(step, protocol.Settle):
        return "has settled"
    assert step is not None
    files = explorer.files[state.files]
    _, answer = explorer.model.carry_out(files, step, place.moment, move.writer)
    late = "(dead) " if move.how == "is late" else ""
    return f"{late}{_name(step)} {_said(step, answer, place.moment)}".strip()


def _name(step: protocol.Step) -> str:
    verb = {
        "Read": "reads",
        "Exists": "looks for",
        "Same": "compares",
        "Names": "lists",
        "MakeFolder": "makes",
        "Write": "PUT",
        "WriteMetadata": "PUT maven-metadata.xml",
        "WriteChecksums": "PUT the checksums of maven-metadata.xml",
    }[type(step).__name__]
    if isinstance(step, protocol.WriteMetadata):
        return f"{verb} [{', '.join(step.metadata.versions)}]"
    return f"{verb} {getattr(step, 'path', '').split('/')[-1]}"


def _said(step: protocol.Step, answer: Any, moment: int) -> str:
    if answer is UNFINISHED:
        return "begins" if isinstance(step, protocol.Write) else f"({moment + 1} of 3 files)"
    if answer is REFUSED:
        return "(refused)"
    match step:
        case protocol.Read():
            text = answer.decode() if answer else "nothing"
            return f"({'a list' if text.startswith('<') else text.split(' claims ')[0]})"
        case protocol.Exists() | protocol.Same():
            return "(there)" if answer else "(not there)"
        case protocol.MakeFolder():
            return f"({answer.value})"
        case protocol.Write():
            return "is stored"
    return ""
