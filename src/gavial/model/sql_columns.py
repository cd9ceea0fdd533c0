"""Which columns a `SQLTransformer` statement reads, makes and lets through, where that is plain.

A statement that is more than one SELECT of expressions over `__THIS__` is not understood, and
that is said: a guess would end up in a model card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gavial.model import sql
from gavial.model.sql_tokens import Refused, Token, tokens

# Words that are no columns. `end` or `by` may be a column's name to Spark; in backticks they are.
_KEYWORDS = frozenset(
    (
        *("and", "or", "not", "is", "null", "true", "false", "between", "in", "like", "rlike"),
        *("ilike", "case", "when", "then", "else", "end", "distinct", "asc", "desc", "div"),
        *("where", "group", "having", "order", "sort", "by", "limit"),
    )
)
# What has names of its own, or values that look like columns.
_NOT_UNDERSTOOD = frozenset(
    (
        *("select", "over", "window", "lateral", "interval", "extract", "union", "except"),
        *("intersect", "minus", "exists", "escape", "cluster", "distribute", "offset", "filter"),
        *("current_date", "current_timestamp", "current_user", "localtimestamp", "user"),
        *("nulls", "rollup", "cube", "grouping", "within"),
    )
)
_CASTS = frozenset(("cast", "try_cast"))
_LITERALS = frozenset(("date", "timestamp", "timestamp_ntz", "timestamp_ltz", "x"))
_NUMBER = re.compile(r"[0-9]+([eE][0-9]+)?([lLsSyYdDfF]|bd|BD)?")
_CLAUSES = frozenset(("where", "group", "having", "order", "sort", "limit"))


@dataclass(frozen=True)
class Selected:
    """What a SELECT does with the columns of its input.

    `reads` are columns of the input, `makes` those that it names itself or copies by name.
    `passes` is true where all columns of the input are kept (`SELECT *`).
    """

    reads: tuple[str, ...]
    makes: tuple[str, ...]
    passes: bool


def selected(statement: str) -> Selected:
    """Read a statement.

    Raises:
        Refused: it is not plain enough; with why.

    >>> selected("SELECT *, a + `b c` AS sum FROM __THIS__ WHERE d > 0")
    Selected(reads=('a', 'b c', 'd'), makes=('sum',), passes=True)
    """
    problem = sql.problem(statement)
    if problem:
        raise Refused(problem)
    found = [one for one in tokens(statement) if one.text != ";"]
    for token in found[1:]:
        if token.word in _NOT_UNDERSTOOD:
            raise Refused(f"it has the word {token.text.upper()}")
    at = next(at for at, one in enumerate(found) if one.text == sql.THIS) - 1
    if _depth(found[:at]) or found[at].word != "from":
        raise Refused("it has a query in brackets")
    alias, rest = _alias(found[at + 2 :])
    head = found[1:at]
    if head and head[0].word in ("distinct", "all"):
        head = head[1:]
    reads: dict[str, None] = {}
    makes: dict[str, None] = {}
    passes = False
    for item in _split(head):
        texts = [one.text for one in item]
        if texts in (["*"], [alias, ".", "*"], [sql.THIS, ".", "*"]):
            passes = True
            continue
        expression, name = _named(item)
        # A later item may use the name of an earlier one, where no column has it.
        reads |= dict.fromkeys(one for one in _columns(expression, alias) if one not in makes)
        if name is not None:
            makes[name] = None
    where, after = _clauses(rest)
    reads |= dict.fromkeys(_columns(where, alias))
    reads |= dict.fromkeys(one for one in _columns(after, alias) if one not in makes)
    return Selected(tuple(reads), tuple(makes), passes)


def _depth(found: Sequence[Token]) -> int:
    return sum((one.text == "(") - (one.text == ")") for one in found)


def _alias(rest: list[Token]) -> tuple[str, list[Token]]:
    """The alias of `__THIS__`, and what follows it."""
    if rest and rest[0].word == "as":
        rest = rest[1:]
    if rest and rest[0].word not in _CLAUSES:
        return _name(rest[0]), rest[1:]
    return sql.THIS, rest


def _clauses(rest: list[Token]) -> tuple[list[Token], list[Token]]:
    """The condition of WHERE, which knows columns alone, and what follows it."""
    if not rest or rest[0].word != "where":
        return [], rest
    depth = 0
    for at, token in enumerate(rest[1:], 1):
        depth += (token.text == "(") - (token.text == ")")
        if not depth and token.word in _CLAUSES:
            return rest[1:at], rest[at:]
    return rest[1:], []


def _split(found: list[Token]) -> Iterator[list[Token]]:
    """The items of a list, at the commas that are in no brackets."""
    depth, start = 0, 0
    for at, token in enumerate(found):
        depth += (token.text in "([") - (token.text in ")]")
        if token.text == "," and not depth:
            yield found[start:at]
            start = at + 1
    yield found[start:]


def _named(item: list[Token]) -> tuple[list[Token], str | None]:
    """An item's expression, and the name of the column that it makes, where that is known."""
    if not item:
        raise Refused("a part between commas is empty")
    if len(item) > 1 and item[-1].kind in ("word", "quoted"):
        before = item[-2]
        if before.word == "as":
            return item[:-2], _name(item[-1])
        ends = before.text in ")]" or before.kind in ("quoted", "string")
        ends = ends or (before.kind == "word" and before.word not in _KEYWORDS - {"end", "null"})
        if ends and item[-1].word not in _KEYWORDS:
            return item[:-1], _name(item[-1])
    if len(item) == 2 * len(_path(item, 0)) - 1:
        return item, _name(item[-1])
    return item, None  # Spark makes a name of the expression's text


def _columns(found: list[Token], alias: str) -> Iterator[str]:
    place = 0
    casts: list[bool] = []  # of each open bracket, whether it is a cast's
    while place < len(found):
        token = found[place]
        after = found[place + 1].text if place + 1 < len(found) else ""
        if (token.text, after) in (("-", ">"), ("=", ">"), (":", ":")) or token.text == "?":
            raise Refused(f"{token.text}{after} is not understood")
        if token.text == "(":
            casts.append(place > 0 and found[place - 1].word in _CASTS)
        elif token.text == ")" and casts:
            casts.pop()
        elif token.word == "as":
            if not casts:
                raise Refused("AS is not where a column is named")
            place = _past_type(found, place) if casts[-1] else place + 2
            continue
        elif _is_name(token) and after != "(" and token.word not in _KEYWORDS:
            if token.word in _LITERALS and _is_text(found, place + 1):
                place += 2
                continue
            path = _path(found, place)
            if len(path) > 1 and path[0].lower() in (alias.lower(), sql.THIS.lower()):
                yield path[1]
            else:
                yield path[0]
            place += 2 * len(path) - 1
            continue
        elif token.kind == "word" and _NUMBER.fullmatch(token.text) and after == ".":
            place += 3  # 1.5
            continue
        place += 1


def _past_type(found: list[Token], place: int) -> int:
    """The bracket that closes a cast, `CAST(a AS decimal(10, 2))`."""
    depth = 0
    while place < len(found):
        depth += (found[place].text == "(") - (found[place].text == ")")
        if depth < 0:
            return place
        place += 1
    return place


def _path(found: list[Token], place: int) -> list[str]:
    """`a`, or `a.b.c`: the names from a place on, with a dot between them."""
    path: list[str] = []
    while place < len(found) and _is_name(found[place]):
        path.append(_name(found[place]))
        if place + 2 >= len(found) or found[place + 1].text != ".":
            break
        place += 2
    return path


def _is_name(token: Token) -> bool:
    return token.kind == "quoted" or (
        token.kind == "word" and _NUMBER.fullmatch(token.text) is None
    )


def _is_text(found: list[Token], place: int) -> bool:
    return place < len(found) and found[place].kind == "string"


def _name(token: Token) -> str:
    return token.text[1:-1].replace("``", "`") if token.kind == "quoted" else token.text
