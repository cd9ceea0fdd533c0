"""Explore the publish protocol and print what was seen.

python tests/explore/run.py [--writers N] [--crashes N] [--states N] [--depth N] [--turns N]

A depth is a number of moves; a turn is any number of moves of one writer, until another moves.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from explorer import Explorer, Found, Pace
from mutants import MUTANTS, Mutant
from schedules import count, simplest, story
from server_models import MODELS, OVERWRITES, REFUSES

PLAIN = Mutant("the protocol", ())
ROW = "{:<29}{:<9}{:>8}{:>9}{:>10}{:>7}{:>7}{:>7}{:>8}  {}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--crashes", type=int, default=9, help="how many writers may be killed")
    parser.add_argument("--states", type=int, default=1_000_000, help="stop there")
    parser.add_argument("--depth", type=int, help="stop after so many moves")
    parser.add_argument("--turns", type=int, help="explore turns instead, so many")
    parser.add_argument("--parts", action="store_true", help="store lists and checksums one by one")
    options = parser.parse_args()
    explore_models(options)
    break_it()
    how_small()


def explore_models(options: argparse.Namespace) -> None:
    print(
        ROW.format(
            *[
                "server",
                "pace",
                "writers",
                "crashes",
                "states",
                "ends",
                "depth",
                "steps",
                "time",
                "found",
            ]
        )
    )
    for model in MODELS:
        for pace in Pace:
            if pace is Pace.NOBODY and model is REFUSES:
                continue  # two writers may fight over numbers without end: see how_small
            writers = PLAIN.writers(options.writers)
            parts = replace(model, list_in_parts=options.parts)
            explorer = Explorer(parts, writers, pace, crashes=options.crashes)
            if options.turns:
                found = explorer.explore_turns(options.turns)
            else:
                found = explorer.explore(depth=options.depth, states=options.states)
            crashes = min(options.crashes, options.writers)
            print(
                ROW.format(
                    model.name,
                    pace.name.lower(),
                    options.writers,
                    crashes,
                    found.states,
                    found.ends,
                    f"{found.depth}{'' if found.complete else '…'}",
                    found.steps,
                    f"{found.seconds:.1f} s",
                    in_short(found),
                ),
                flush=True,
            )
    print("… stopped at the bound given: not all of it was seen. Depth: in moves, or in turns.\n")


def in_short(found: Found) -> str:
    if not found.first:
        return "nothing wrong"
    lost = [text for text in found.first if is_loss(text)]
    return f"{len(found.first)} kinds, such as: {(lost or list(found.first))[0]}"


def is_loss(text: str) -> bool:
    """Whether a release is lost or altered, and not merely absent from the list for now."""
    return not text.endswith("is released and not listed")


def break_it() -> None:
    print("Broken on purpose, and caught:")
    for mutant in MUTANTS:
        for model in mutant.shows_on:
            found = mutant.explore(model)
            caught = mutant.caught(found)
            seen = f"after {found.depth} moves: {caught}" if caught else "NOT CAUGHT"
            print(f"  {mutant.name:<31} {model.name:<29} {mutant.pace.name.lower():<8} {seen}")
    print()


def how_small() -> None:
    explorer = Explorer(OVERWRITES, PLAIN.writers(2), Pace.SERVER, crashes=0, reduce=False)
    found = explorer.explore()
    bad_states = sum(any(map(is_loss, explorer.wrong(state))) for state in explorer.parents)
    everything, lost = count(explorer, lambda s: any(map(is_loss, explorer.wrong(s))))
    print(
        f"{OVERWRITES.name}, two writers, clients may stand still: of {found.states} states "
        f"{bad_states} have lost a release; of {everything:.3g} schedules {lost:.3g} do "
        f"({lost / everything:.2%}). The simplest one that gives one number to both:"
    )
    way = simplest(explorer, lambda s: any("both" in text for text in explorer.wrong(s)))
    for line in story(explorer, way or ()):
        print(f"  {line}")


if __name__ == "__main__":
    main()
