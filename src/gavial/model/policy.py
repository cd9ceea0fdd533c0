"""A promotion policy: TOML, versioned with the user's own code, to gates. Pure.

Nothing unknown is passed over: a misspelt gate would be one that is never asked.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.errors import ConfigurationError
from gavial.maven.locations import expanded
from gavial.maven.settings_signing import TrustRule
from gavial.model import gates
from gavial.model.card import Card
from gavial.model.compatibility import check_freeze
from gavial.model.decision import PolicyText
from gavial.model.gates import Approved, Gate
from gavial.model.golden import TOLERANCE

FORMAT = 1
_LONGEST = 500  # characters of a condition
_MOST = 100  # entries of a list
_AGE = re.compile(r"([0-9]{1,6}) ?(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NUMBER = r"[+-]?(?:[0-9]{1,300}(?:\.[0-9]{0,300})?|\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,4})?"
_CONDITION = re.compile(r"([^<>=!]+)(>=|<=|==|>|<)([^<>=!]+)")
_CURRENT = re.compile(rf"current(?:\s*([-+*])\s*({_NUMBER}))?")
_CARD = tuple(one.name for one in fields(Card))
_OUTCOMES = ("better", "no difference worth having")  # that a policy may let through
_INNER = ("labels", "fields", "metrics")  # parts of a card with names of their own


@dataclass(frozen=True)
class Policy:
    """What a release must be to be promoted.

    Attributes:
        gates: in the order in which they are asked.
        text: the file's name, its sha256, and its text.
    """

    gates: tuple[Gate, ...]
    text: PolicyText

    @property
    def approvals(self) -> Approved | None:
        """The gate that asks for approvals, if any."""
        return next((one for one in self.gates if isinstance(one, Approved)), None)

    @classmethod
    def parse(cls, data: bytes, file: Path) -> Policy:
        """Read a policy.

        Args:
            data: TOML in UTF-8.
            file: where it was read from: files of keys are meant from its folder.

        Raises:
            ConfigurationError: it is no TOML, or has a key that nobody knows or a value that does
                not fit; the message names it.

        >>> policy = Policy.parse(b'metrics = ["auc >= 0.8"]', Path("policy.toml"))
        >>> [gate.name for gate in policy.gates]
        ['metrics: auc >= 0.8']
        """
        if len(data) > limits.SETTINGS:
            raise ConfigurationError(
                f"{file} has more than {limits.SETTINGS} bytes: no policy has."
            )
        try:
            text = data.decode()
            table = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"{file} is not TOML in UTF-8: {error!s:.200}.") from error
        _known(table, ("format", "description", *_GATES), f"the policy {file}", "gate")
        _check_head(table, file)
        found: list[Gate] = []
        for name, read in _GATES.items():
            if name in table:
                found += read(table[name], _Where(name, file))
        digest = hashlib.sha256(data).hexdigest()
        return cls(tuple(found), PolicyText(file.name, digest, text))


@dataclass(frozen=True)
class _Where:
    """Which key of which file."""

    name: str
    file: Path

    def __str__(self) -> str:
        return f"{self.name} of the policy {self.file}"

    def within(self, key: str) -> _Where:
        return _Where(f"{self.name}.{key}", self.file)

    def wrong(self, value: Any, expected: str) -> ConfigurationError:
        shown = f"{value!r:.100}" if isinstance(value, str | int | float) else _kind(value)
        return ConfigurationError(f"{self} is {shown}: expected {expected}.")


def _check_head(table: Mapping[str, Any], file: Path) -> None:
    number = table.get("format", FORMAT)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise _Where("format", file).wrong(number, f"{FORMAT}")
    if number > FORMAT:
        raise ConfigurationError(
            f"The policy {file} has format {number}; this Gavial reads up to {FORMAT}. Use a later "
            "one: pip install --upgrade gavial"
        )
    if not isinstance(table.get("description", ""), str):
        raise _Where("description", file).wrong(table["description"], "a text")


def _metrics(value: Any, where: _Where) -> Iterator[Gate]:
    for text in _texts(value, where, '["auc >= 0.8"]', single=True):
        yield _metric(text, where)


def _metric(text: str, where: _Where) -> Gate:
    found = _CONDITION.fullmatch(text) if len(text) <= _LONGEST else None
    if found:
        name, operator, right = found[1].strip(), found[2], found[3].strip()
        current = _CURRENT.fullmatch(right)
        if name and current:
            sign, number = current[1] or "+", _finite(current[2] or "0")
            if number is not None:
                value = -number if sign == "-" else number
                return gates.Metric(
                    text.strip(), name, operator, value, "*" if sign == "*" else "+"
                )
        number = _finite(right) if re.fullmatch(_NUMBER, right) else None
        if name and number is not None:
            return gates.Metric(text.strip(), name, operator, number)
    raise where.wrong(
        text, "conditions such as 'auc >= 0.8', 'auc >= current - 0.01' or 'rmse <= current * 1.05'"
    )


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _compatibility(value: Any, where: _Where) -> Iterator[Gate]:
    table = _switch(value, where, ("freeze",))
    if table is not None:
        patterns = _texts(table.get("freeze", []), where.within("freeze"), '["*.maxIter"]')
        try:
            yield gates.Compatibility(check_freeze(patterns))
        except ConfigurationError as error:
            raise ConfigurationError(f"{where}: {error}") from error


def _signature(value: Any, where: _Where) -> Iterator[Gate]:
    table = _switch(value, where, ("keys", "ca", "subjects"))
    if table is None:
        return
    if not table:
        yield gates.Signature()
        return
    keys = _files(table.get("keys", []), where.within("keys"))
    authority = None
    if "ca" in table:
        (authority,) = _files([table["ca"]], where.within("ca"))
    subjects = tuple(_texts(table.get("subjects", []), where.within("subjects"), '["CN=Alice"]'))
    if not keys and authority is None:
        raise where.wrong(value, "keys, ca, or both")
    if subjects and authority is None:
        raise where.wrong(value, "ca beside subjects, which name whom it may have certified")
    yield gates.Signature(
        TrustRule(("*",), keys, authority, subjects, f"the policy {where.file.name}")
    )


def _golden(value: Any, where: _Where) -> Iterator[Gate]:
    table = _switch(value, where, ("tolerance",))
    if table is not None:
        tolerance = table.get("tolerance", TOLERANCE)
        expected = "a number such as 1e-6"
        yield gates.Golden(_between(tolerance, where.within("tolerance"), expected, 1e300))


def _bom(value: Any, where: _Where) -> Iterator[Gate]:
    if _switch(value, where, ()) is not None:
        yield gates.Bom()


def _card(value: Any, where: _Where) -> Iterator[Gate]:
    names = tuple(_texts(value, where, '["owner", "intended_use"]'))
    for name in names:
        part, dot, inner = name.partition(".")
        if part not in _CARD or (dot and (part not in _INNER or not inner)):
            near = difflib.get_close_matches(part, _CARD, n=1, cutoff=0.5)
            inside = f"{part} has no names of its own" if part in _CARD else ""
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(_CARD)}."
            raise ConfigurationError(
                f"Unknown field {name!r:.100} of the card in {where}. {inside or hint}"
            )
    if names:
        yield gates.Filled(names)


def _age(value: Any, where: _Where) -> Iterator[Gate]:
    yield gates.Age(*_time(value, where))


def _time(value: Any, where: _Where) -> tuple[str, timedelta]:
    found = _AGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise where.wrong(value, "a time such as '2d', '12h', '30m' or '1w'")
    return value.strip(), timedelta(**{_UNITS[found[2]]: int(found[1])})


def _comparison(value: Any, where: _Where) -> Iterator[Gate]:
    table = _switch(value, where, ("outcome", "alpha", "loss", "margin", "max_age"))
    if table is None:
        return
    outcomes = tuple(
        _texts(table.get("outcome", "better"), where.within("outcome"), '["better"]', single=True)
    )
    wrong = [one for one in outcomes if one not in _OUTCOMES]
    if wrong or not outcomes:
        raise where.within("outcome").wrong(table["outcome"], " or ".join(map(repr, _OUTCOMES)))
    loss = table.get("loss", "")
    if not isinstance(loss, str):
        raise where.within("loss").wrong(loss, "a text such as 'log_loss'")
    alpha = _between(table.get("alpha", 0.05), where.within("alpha"), "a number such as 0.05", 1)
    margin, age, text = None, None, ""
    if "margin" in table:
        margin = _between(table["margin"], where.within("margin"), "a number such as 0.001", 1e300)
    if "max_age" in table:
        text, age = _time(table["max_age"], where.within("max_age"))
    yield gates.Challenged(outcomes, alpha, loss, margin, age, text)


def _between(value: Any, where: _Where, expected: str, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= most:
        raise where.wrong(value, expected)
    return float(value)


def _labels(value: Any, where: _Where) -> Iterator[Gate]:
    if not isinstance(value, dict):
        raise where.wrong(value, "a table such as { team = 'risk' }")
    wanted: dict[str, tuple[str, ...]] = {}
    for label, values in value.items():
        if values is True:
            wanted[label] = ()
        else:
            expected = "a text, a list of texts, or true for any"
            wanted[label] = tuple(_texts(values, where.within(label), expected, single=True))
            if not wanted[label]:
                raise where.within(label).wrong(values, expected)
    if wanted:
        yield gates.Labels(wanted)


def _approvals(value: Any, where: _Where) -> Iterator[Gate]:
    if not isinstance(value, dict):
        raise where.wrong(value, "a table with required and keys")
    _known(value, ("required", "keys"), str(where), "key")
    keys = _files(value.get("keys", []), where.within("keys"))
    required = value.get("required", 1)
    if not keys:
        raise where.within("keys").wrong(value.get("keys"), "a list of files with public keys")
    if not isinstance(required, int) or isinstance(required, bool) or required < 1:
        raise where.within("required").wrong(required, "a whole number from 1")
    if required > len(keys):
        raise ConfigurationError(
            f"{where} asks for {required} approvals and names {len(keys)} keys: nothing could ever "
            "be promoted."
        )
    yield gates.Approved(required, keys)


_GATES: dict[str, Callable[[Any, _Where], Iterable[Gate]]] = {
    "metrics": _metrics,
    "compatibility": _compatibility,
    "signature": _signature,
    "golden": _golden,
    "bom": _bom,
    "card": _card,
    "age": _age,
    "labels": _labels,
    "approvals": _approvals,
    "comparison": _comparison,
}


def _switch(value: Any, where: _Where, known: Sequence[str]) -> dict[str, Any] | None:
    """The settings of a gate that may be just `true`; `None` where it is `false`."""
    if isinstance(value, bool):
        return {} if value else None
    if not isinstance(value, dict) or not known:
        also = f", or a table with {', '.join(known)}" if known else ""
        raise where.wrong(value, f"true or false{also}")
    _known(value, known, str(where), "key")
    if not value:
        raise where.wrong(value, f"true, or {', '.join(known)}")
    return value


def _known(table: Mapping[str, Any], known: Sequence[str], where: str, what: str) -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            raise ConfigurationError(f"Unknown {what} {key!r:.100} in {where}. {hint}")


def _texts(value: Any, where: _Where, example: str, *, single: bool = False) -> list[str]:
    given = [value] if single and isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(one, str) and one for one in given):
        raise where.wrong(
            value, f"a list of texts such as {example}" if "[" in example else example
        )
    if len(given) > _MOST:
        raise ConfigurationError(f"{where} has {len(given)} entries: expected {_MOST} at most.")
    return given


def _files(value: Any, where: _Where) -> tuple[Path, ...]:
    texts = _texts(value, where, '["keys/alice.pub"]')
    if any("\0" in one for one in texts):
        raise where.wrong(value, "names of files")
    return tuple(dict.fromkeys(where.file.parent / expanded(one) for one in texts))


def _kind(value: Any) -> str:
    return {dict: "a table", list: "a list", type(None): "missing"}.get(
        type(value), f"a {type(value).__name__}"
    )
