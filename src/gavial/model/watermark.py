"""The watermark's text: which release scored a record, as the last stage of a pipeline says it.

It is a stock `SQLTransformer`, so that every language of Spark loads the model without a class
of ours. By its uid and its statement it is recognised.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass

from gavial.errors import ConfigurationError, InvalidCoordinate
from gavial.maven.coordinate import Coordinate

UNRELEASED = "unreleased"
DEFAULT_COLUMN = "pipeline"
UID_PREFIX = "Watermark_"

_UID = re.compile(UID_PREFIX + r"[0-9a-f]{12}")
# What a coordinate can hold: no quote and no backslash, so the literal needs no escapes.
_VALUE = re.compile(r"[A-Za-z0-9_.:-]+")
_STATEMENT = re.compile(r"SELECT \*, '([^']*)' AS `((?:[^`]|``)+)` FROM __THIS__")
_SUBSTITUTED = ("${", "__THIS__")


@dataclass(frozen=True)
class Watermark:
    """What a model writes into every record: a value, and the column that holds it.

    >>> str(Watermark("com.acme:churn:1.0.3", "pipeline").coordinate)
    'com.acme:churn:1.0.3'
    """

    value: str
    column: str

    @property
    def coordinate(self) -> Coordinate | None:
        """The release that the value names; `None` before a release."""
        try:
            return Coordinate.parse(self.value)
        except InvalidCoordinate:
            return None


def new_uid() -> str:
    """A uid for a watermark stage: Spark makes a view's name of it, so only word characters."""
    return UID_PREFIX + secrets.token_hex(6)


def is_uid(uid: str) -> bool:
    """Whether a stage's uid is that of a watermark.

    >>> is_uid("Watermark_0123456789ab"), is_uid("SQLTransformer_0123456789ab")
    (True, False)
    """
    return _UID.fullmatch(uid) is not None


def statement(value: str, column: str) -> str:
    """The SQL of a watermark stage.

    >>> statement("unreleased", "pipeline")
    "SELECT *, 'unreleased' AS `pipeline` FROM __THIS__"

    Raises:
        ConfigurationError: Spark would change the value or the column on its way.
    """
    check_column(column)
    if not _VALUE.fullmatch(value) or "__THIS__" in value:
        raise ConfigurationError(
            f"{value!r} cannot be a watermark: expected {UNRELEASED!r} or a coordinate such as "
            "'com.acme:churn:1.0.3', without '__THIS__', which Spark replaces in SQL."
        )
    quoted = column.replace("`", "``")
    return f"SELECT *, '{value}' AS `{quoted}` FROM __THIS__"


def parse_statement(sql: str) -> Watermark | None:
    """The watermark that a statement writes; `None` where it is any other statement.

    >>> parse_statement("SELECT *, 'unreleased' AS `pipeline` FROM __THIS__")
    Watermark(value='unreleased', column='pipeline')
    """
    match = _STATEMENT.fullmatch(sql)
    if match is None:
        return None
    watermark = Watermark(match[1], match[2].replace("``", "`"))
    try:
        # Only what `statement` writes: Spark would change anything else on its way.
        return watermark if statement(watermark.value, watermark.column) == sql else None
    except ConfigurationError:
        return None


def check_column(column: str) -> None:
    """Check that a column's name survives the way through Spark's SQL.

    Raises:
        ConfigurationError: it is empty, or has a part that Spark replaces or cannot hold.
    """
    problem = _column_problem(column)
    if problem:
        raise ConfigurationError(
            f"{column!r} cannot be the watermark's column: {problem}. "
            f"Choose another name, such as {DEFAULT_COLUMN!r}."
        )


def _column_problem(column: str) -> str | None:
    if not column.strip():
        return "it is empty"
    for text in _SUBSTITUTED:
        if text in column:
            return f"it has {text!r}, which Spark replaces in SQL"
    for character in column:
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            return f"it has the control character {character!r}"
    return None
