"""`model.repository` of an `application.conf` in HOCON.

Such a file may have come with a cloned project, so it reads no other file, fetches no URL,
and a variable of the environment stands for a whole value or is refused: what the
environment holds is the user's own, wherever the variable is named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gavial.errors import ConfigurationError
from gavial.maven.setting_values import Setting

_PLACE = "model.repository"
# pyhocon takes an include wherever a value may stand, so it is taken out wherever it stands.
_INCLUDE = re.compile(
    r"""(?ix) (?<![\w$]) include \s* (?:required\s*\(\s*)? (?:(?:url|file|package)\s*\(\s*)?
        "(?:[^"\\\n]|\\.)*" [\s)]*?(?=[^\s)]|$|\n) """
)
_STILL = re.compile(r'(?i)(?<![\w$])include\s*(?:"|url|file|package|required)\b')
_REFERENCE = re.compile(r"\$\{(\??)([^}]+)\}")
_MARK = re.compile("\ue000(.*?)\ue001")  # of the private use area: no setting has them


def model_repository(
    text: str, file: str, environ: Mapping[str, str], *, own: bool
) -> dict[str, Setting[str]]:
    """The keys below `model.repository`, or none.

    Raises:
        ConfigurationError: it is not HOCON, or a value there is no text.
    """
    tree = _tree(_INCLUDE.sub("", text), file, environ)
    values = tree.get(_PLACE, None) if hasattr(tree, "get") else None
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ConfigurationError(f"{_PLACE} in {file} is no object: expected id, url, ….")
    return {
        key.strip('"'): _setting(key, value, file, environ, own=own)
        for key, value in values.items()
        if value is not None
    }


def _tree(text: str, file: str, environ: Mapping[str, str]) -> Any:
    try:
        from pyhocon import ConfigFactory, ConfigParser
        from pyhocon.exceptions import ConfigException
        from pyparsing import ParseBaseException
    except ImportError as error:
        raise ConfigurationError(f'Reading {file} needs pyhocon: pip install "gavial"') from error
    if _STILL.search(text):
        raise ConfigurationError(f"{file} includes other files in a form that is not understood.")
    try:
        tree = ConfigFactory.parse_string(text, resolve=False)
        if not hasattr(tree, "put"):
            return None  # a list
        for optional, name in _REFERENCE.findall(text):
            known = name in environ or name in os.environ
            missing = tree.get(name, None) is None and not name.startswith(_PLACE)
            if missing and (known or not optional):
                tree.put(name, f"\ue000{name}\ue001")
        ConfigParser.resolve_substitutions(tree)
    except ParseBaseException as error:
        raise ConfigurationError(
            f"{file} is not HOCON (line {error.lineno}, column {error.column})."
        ) from error
    except (ConfigException, RecursionError, ValueError, TypeError, AttributeError) as error:
        # pyhocon's own messages name the line, but may also hold a value.
        line = re.search(r"line: ?\d+", str(error))
        where = f" ({line[0]})" if line else ""
        raise ConfigurationError(f"{file} cannot be read as HOCON{where}.") from error
    return tree


def _setting(
    key: str, value: object, file: str, environ: Mapping[str, str], *, own: bool
) -> Setting[str]:
    if not isinstance(value, (str, int)) or isinstance(value, bool) or value == "":
        raise ConfigurationError(f"{_PLACE}.{key} in {file} is no text: expected it in quotes.")
    text = str(value)
    mark = _MARK.search(text)
    if mark is None:
        return Setting(text, file, own, Path(file))
    name = mark[1]
    if mark[0] != text.strip() or name not in environ:
        why = "is not set" if name not in environ else "stands for a part of a value only"
        raise ConfigurationError(
            f"{_PLACE}.{key} in {file} refers to the environment variable {name}, which {why}."
        )
    return Setting(environ[name], f"environment variable {name} (named in {file})")
