"""What a `SQLTransformer` statement may do: one SELECT over `__THIS__`, read word by word.

Spark runs any statement that such a stage holds, even for `transformSchema` alone: `DROP TABLE`,
`ADD FILE`, a query that reads the driver's files, `reflect`. So a statement is read token by
token (`sql_tokens`), and a shape that is not known is refused. This decides what is plainly
harmless; it is no parser, and refuses more than it must.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from gavial.model.sql_tokens import Refused, Token, tokens

THIS = "__THIS__"

# Functions that run code, read files or call out. Table functions need no place here: the only
# relation allowed is __THIS__.
_DENIED = re.compile(
    "reflect|java_method|try_reflect"  # any static method of the JVM
    "|identifier"  # names a function or table by a text
    "|.*avro|.*protobuf"  # options name files
    "|from_xml|schema_of_xml"  # option rowValidationXSDPath names a file
    "|transform_with_.*|python_.*"
    "|read_.*|load.*|cloud_files|list_.*|get_file.*|input_files"  # platforms' own
    "|http.*|url_fetch|remote_query|.*secret.*|ai_.*|vector_search|event_log"
)
# Words that bring in another relation, another statement or a script. A column of such a name
# can be written in backticks.
_FORBIDDEN = frozenset(
    (
        "table",
        "using",
        "join",
        "with",
        "into",
        "insert",
        "stream",
        "call",
        "execute",
        "declare",
        "begin",
        "tablesample",
        "pivot",
        "unpivot",
        "match_recognize",
        "serde",
        "of",  # VERSION AS OF, WATERMARK … DELAY OF
    )
)
_SET_OPERATIONS = frozenset(("union", "except", "intersect", "minus"))
# What may follow a relation. Any other word there is an alias, or unknown and refused.
_CLAUSES = frozenset(
    (
        "where",
        "group",
        "having",
        "order",
        "sort",
        "cluster",
        "distribute",
        "limit",
        "offset",
        "window",
    )
)
_LISTS = frozenset(("group", "order", "sort", "cluster", "distribute"))  # … BY a, b
# In these FROM stands between arguments: `extract(day FROM ts)`.
_FROM_INSIDE = frozenset(("extract", "trim", "substring", "substr", "overlay"))
_AFTER_A_NAME = frozenset((".", ",", ")", "as", "from"))
_QUERY_WORDS = frozenset(("select", "from", "with", "table", "values", "map", "reduce"))


def problem(statement: str) -> str | None:
    """Why a statement is not allowed; `None` where it is one SELECT over `__THIS__` alone.

    >>> problem("SELECT *, a + 1 AS b FROM __THIS__ WHERE a IS NOT NULL")
    >>> problem("DROP TABLE customers")
    'it does not begin with SELECT'
    """
    if "${" in statement:
        return "it has '${', which Spark replaces by a setting"
    try:
        _check(tokens(statement))
    except Refused as refused:
        return str(refused)
    return None


def _check(found: list[Token]) -> None:
    while found and found[-1].text == ";":
        found.pop()
    if not found or found[0].word != "select":
        raise Refused("it does not begin with SELECT")
    for token in found:
        _check_token(token)
    for here, after in pairwise(found):
        _check_pair(here, after)
    _check_calls(found)
    if not _Relations(found).check():
        raise Refused(f"it does not read FROM {THIS}")


def _check_token(token: Token) -> None:
    if token.text == ";":
        raise Refused("it has more than one statement")
    if token.word in _FORBIDDEN:
        raise Refused(f"it has the word {token.text.upper()}")
    # Spark replaces it everywhere, in the middle of a name and in quotes as well.
    if THIS in token.text and token.kind == "word" and token.text != THIS:
        raise Refused(f"{THIS} is part of a longer name")
    if THIS in token.text and token.kind == "quoted":
        raise Refused(f"{THIS} is in backticks")


def _check_pair(here: Token, after: Token) -> None:
    if here.text == "|" and after.text == ">":
        raise Refused("it has a pipe |>")
    if here.word == "lateral" and after.word != "view":
        raise Refused("it has LATERAL without VIEW")


def _check_calls(found: list[Token]) -> None:
    for place, token in enumerate(found[:-1]):
        if found[place + 1].text != "(" or token.kind == "symbol":
            continue
        if token.kind == "string":
            raise Refused("a quoted text is called like a function")
        name = token.text.strip("`").lower()
        if place and found[place - 1].text == ".":
            raise Refused(f"it calls {name!r} by a qualified name")
        if token.kind == "quoted" and not re.fullmatch(r"\w+", name):
            raise Refused(f"it calls {name!r}")
        if _DENIED.fullmatch(name):
            raise Refused(f"it calls {name}(), which can run code or read files")


@dataclass
class _Scope:
    """One pair of brackets, or the whole: which function opened it, which clause is read."""

    opener: str
    query: bool
    clause: str = ""


class _Relations:
    """Every relation of a statement is `__THIS__` or a SELECT in brackets.

    A clause matters because of commas: in `FROM a, b` one brings in another relation. An alias
    may be any word that is no keyword here, so that no alias is taken for a clause.
    """

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._scopes = [_Scope("", query=True)]
        self._found = False

    def check(self) -> bool:
        """Whether there is such a relation; raises where there is another."""
        place = 0
        while place < len(self._tokens):
            place = self._step(place)
        if len(self._scopes) != 1:
            raise Refused("a bracket is not closed")
        return self._found

    def _word(self, place: int) -> str:
        return self._tokens[place].word if 0 <= place < len(self._tokens) else ""

    def _step(self, place: int) -> int:
        scope, word = self._scopes[-1], self._word(place)
        if word == "(":
            before = self._word(place - 1)
            self._scopes.append(_Scope(before, self._word(place + 1) in _QUERY_WORDS))
        elif word == ")":
            self._scopes.pop()
            if not self._scopes:
                raise Refused("a bracket is closed that was not opened")
            if self._scopes[-1].clause == "from":
                return self._after_relation(place + 1)
        elif word == "select":
            self._select(place, scope)
        elif word == "from":
            return self._from(place, scope)
        elif word == ",":
            _check_comma(scope)
        elif word in _CLAUSES and self._tokens[place - 1].text != ".":
            self._clause(place, scope, word)
        elif word == "lateral" and scope.clause:
            scope.clause = "list"
        return place + 1

    def _select(self, place: int, scope: _Scope) -> None:
        before = self._word(place - 1)
        if before in ("all", "distinct"):
            before = self._word(place - 2)
        if place and before != "(" and before not in _SET_OPERATIONS:
            raise Refused("SELECT is not where a query begins")
        # Spark lets a table be called `select`: in `FROM (select.from …)` it is one.
        if self._word(place + 1) in _AFTER_A_NAME:
            raise Refused("SELECT is not followed by what it selects")
        scope.clause = "select"

    def _from(self, place: int, scope: _Scope) -> int:
        if scope.opener in _FROM_INSIDE and not scope.query:
            return place + 1
        if scope.clause != "select" or self._word(place - 1) == ".":
            raise Refused("FROM is not where a query has it")
        scope.clause = "from"
        if self._word(place + 1) == "(":
            if self._word(place + 2) != "select":
                raise Refused("FROM ( is not followed by SELECT")
            return place + 1
        if place + 1 >= len(self._tokens) or self._tokens[place + 1].text != THIS:
            raise Refused(f"it reads FROM something other than {THIS}")
        self._found = True
        return self._after_relation(place + 2)

    def _after_relation(self, place: int) -> int:
        """Past an alias; what follows must be a clause, the end, or a set operation."""
        scope = self._scopes[-1]
        scope.clause = "after"
        named = self._word(place) == "as"
        place += named
        ends = _CLAUSES | _SET_OPERATIONS | {"lateral", ")"}
        if place < len(self._tokens) and self._word(place) not in ends:
            token = self._tokens[place]
            if token.kind not in ("word", "quoted") or token.word in _QUERY_WORDS | {"as", "by"}:
                raise Refused(f"{token.text[:40]!r} after the relation is not understood")
            place += 1
        elif named:
            raise Refused("AS is not followed by a plain name")
        if place < len(self._tokens) and self._word(place) not in ends:
            raise Refused(f"{self._tokens[place].text[:40]!r} after the relation")
        return place

    def _clause(self, place: int, scope: _Scope, word: str) -> None:
        """A clause after the relation: only lists may have commas at their own level."""
        if scope.clause in ("", "select"):
            return  # a column of that name, or a window: `OVER (ORDER BY a, b)`
        listing = word in _LISTS and self._word(place + 1) == "by"
        scope.clause = "list" if listing else "plain"


def _check_comma(scope: _Scope) -> None:
    if scope.clause in ("from", "after", "plain"):
        raise Refused("a comma may bring in another relation")
