"""What a caller says of a model and its data, made fit for a model card."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.errors import ConfigurationError
from gavial.model import json_values
from gavial.model.dataset import Dataset
from gavial.registry import git
from gavial.registry.warn import warn

# What a front end of notebooks says of the one that is open.
_NOTEBOOK_VARIABLE = "JPY_SESSION_NAME"  # ipykernel, jupyter_server
_NOTEBOOK_NAMES = ("__vsc_ipynb_file__", "__session__")  # VS Code; ipykernel


def data(value: Any, what: str, *, live: bool) -> dict[str, Any] | None:
    """A card's description of data.

    Args:
        value: a `Dataset`, a DataFrame, a path or table name, a mapping of what is known, `None`.
        what: how messages call it, such as `training_data`.
        live: a Spark session can be asked; else a path or table is only named.

    Raises:
        ConfigurationError: it is none of these, or cannot be read or described.
    """
    if value is None:
        return None
    if isinstance(value, Mapping):
        return free(value, what)
    given = value if isinstance(value, Dataset) else Dataset(value)
    source = given.source
    if isinstance(source, str | os.PathLike):
        source = os.fspath(source)
        if not live:
            told = {"name": given.name, "source": source, "version": given.version}
            return {name: one for name, one in told.items() if one}
    elif not (hasattr(source, "schema") and hasattr(source, "inputFiles")):
        raise ConfigurationError(
            f"{what}={value!r:.80}: expected a DataFrame, a path or the name of a table, a "
            'gavial.Dataset of one, or what is known of it, such as {"source": "s3://…"}.'
        )
    from gavial.spark import dataset

    found = dataset.describe(given)
    if "unread" in found:
        warn(
            f"Spark cannot read {what} {found['source']!r}, so the card only names it: "
            f"{found['unread']} Pass the DataFrame that was used, or what is known as a mapping."
        )
    bounded(found, what)
    return found


def free(value: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Free fields: JSON values by name.

    Raises:
        ConfigurationError: a value is none that JSON has, or they take too many bytes.
    """
    try:
        text = json.dumps(dict(value), allow_nan=False)
        found: dict[str, Any] = json_values.loads(text)
    except (TypeError, ValueError, RecursionError, AttributeError) as error:
        raise ConfigurationError(
            f"{what}: expected values that JSON has by name, such as "
            f'{{"ticket": "ML-7", "regions": ["eu"]}}: {error}.'
        ) from error
    bounded(found, what)
    return found


def bounded(value: Any, what: str) -> None:
    """Check the size of a part of a card.

    Raises:
        ConfigurationError: it is.
    """
    size = len(json.dumps(value, ensure_ascii=False, default=str))
    if size > limits.CARD_PART:
        raise ConfigurationError(
            f"{what} takes {size} characters of the model card: at most {limits.CARD_PART} are "
            "read well (GAVIAL_LIMIT_CARD_PART). Pass less of it, such as fewer or smaller records."
        )


def script(folder: Path) -> str:
    """The script or notebook that runs: its place in its git repository, else its name.

    Empty in an interactive session, in `python -m`, and for the command line of Gavial itself.
    """
    main = vars(sys.modules["__main__"]) if "__main__" in sys.modules else {}
    named = [main.get(name) for name in _NOTEBOOK_NAMES]
    notebook = next(
        (one for one in (*named, os.environ.get(_NOTEBOOK_VARIABLE)) if isinstance(one, str)), ""
    )
    if notebook:
        return git.place_in(folder, folder / notebook)
    file = main.get("__file__")
    if not isinstance(file, str) or main.get("__spec__") is not None:
        return ""
    return "" if Path(file).stem == "gavial" else git.place_in(folder, Path(file))
