"""A SQL text as tokens, by the lexical rules of Spark's `SqlBaseLexer.g4`, or a refusal.

Where versions or settings of Spark differ on where a token ends, the text is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<space>[ \r\n\t]+)
  | (?P<comment>--[^\r\n]* | /\*(?!\+)(?:(?!\*/|/\*)[\s\S])*\*/)
  | (?P<word>[A-Za-z0-9_]+)
  | (?P<string>'(?:[^'\\]|\\[\s\S])*' | "(?:[^"\\]|\\[\s\S])*")
  | (?P<quoted>`(?:[^`]|``)*`)
  | (?P<symbol>[-+*/%=<>!|&^~.,()\[\]?:;])
    """,
    re.VERBOSE,
)


class Refused(Exception):
    """Why a statement is not plainly harmless."""


@dataclass(frozen=True)
class Token:
    """One token; `word` is the text of a bare word in lower case, or a symbol."""

    kind: str  # word, string, quoted (in backticks), symbol
    text: str

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind in ("word", "symbol") else ""


def tokens(statement: str) -> list[Token]:
    """Take a statement apart; comments and space are left out.

    Raises:
        Refused: a part of it is not understood.
    """
    found: list[Token] = []
    place = 0
    while place < len(statement):
        match = _TOKEN.match(statement, place)
        if match is None:
            raise Refused(f"{statement[place]!r} at place {place + 1} is not understood")
        kind, text = match.lastgroup or "", match.group()
        if kind == "comment":
            _check_comment(text)
        elif kind != "space":
            if statement.startswith("/*", place):
                raise Refused("it has a hint, or a comment within a comment")
            _check_prefix(kind, statement[place - 1 : place])
            found.append(Token(kind, text))
        place = match.end()
    return found


def _check_comment(text: str) -> None:
    # The lexer lets a backslash at the end of a `--` comment continue it on the next line.
    if text.startswith("--") and text.endswith("\\"):
        raise Refused("a comment ends in a backslash")


def _check_prefix(kind: str, before: str) -> None:
    # `R'…'` is a raw string: there a backslash does not keep a quote from closing it.
    if kind == "string" and before in ("r", "R"):
        raise Refused("it has a raw string, or a quote directly after an R")
