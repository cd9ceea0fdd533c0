"""What a stage learnt, read from its Parquet files in bounded memory.

pyarrow reads them. It is imported here, when it is needed, and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gavial import limits
from gavial.errors import ConfigurationError, CorruptRelease

INSTALL = 'pip install "gavial[diff]"'
_ROWS = 4096  # of a batch
_BUFFER = 1 << 20  # bytes read ahead of a column: without it all of it in a row group


class TooLarge(Exception):
    """The files are larger than is read: their digests are all that is compared."""


class Table:
    """The rows of one folder of Parquet files.

    Raises:
        ConfigurationError: pyarrow is not installed.
        CorruptRelease: a file is no Parquet, or half of one.
        TooLarge: one part of a file is larger than `limits.DIFF_BYTES`.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        try:
            import pyarrow
            import pyarrow.parquet as parquet
        except ImportError as missing:
            raise ConfigurationError(
                f"What stages learnt is in Parquet files, and pyarrow reads them: {INSTALL}"
            ) from missing
        self._foreign = (pyarrow.ArrowException, OSError, ValueError)
        self._files = []
        try:
            for one in files:
                opened = parquet.ParquetFile(one, buffer_size=_BUFFER, pre_buffer=False)
                for group in range(opened.metadata.num_row_groups):
                    if opened.metadata.row_group(group).total_byte_size > limits.DIFF_BYTES:
                        raise TooLarge
                self._files.append(opened)
        except self._foreign as error:
            raise _damaged(error) from error

    @property
    def columns(self) -> list[str]:
        return list(self._files[0].schema_arrow.names) if self._files else []

    def read(self, limit: int) -> list[dict[str, Any]] | None:
        """All rows, as Python has them; `None` where they hold more than so many values.

        The values are counted, and not asked of the file's description of its columns: pyarrow
        ends the process where that is damaged.
        """
        found: list[dict[str, Any]] = []
        count = 0
        for batch in self._batches(None):
            count += sum(map(_count, batch.columns))
            if count > limit:
                return None
            found += batch.to_pylist()
        return found

    def some(self, columns: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """Some columns, a few rows at a time; `a.b` is the field of a column of structures."""
        for batch in self._batches(list(columns)):
            yield batch.to_pylist()

    def summaries(self) -> dict[str, Summary]:
        """Number, digest, least and greatest of each column's values, in the order of the files."""
        found: dict[str, Summary] = {}
        for batch in self._batches(None):
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                _visit(found, name, column)
        return found

    def _batches(self, columns: list[str] | None) -> Iterator[Any]:
        try:
            for one in self._files:
                yield from one.iter_batches(_ROWS, columns=columns, use_threads=False)
        except self._foreign as error:
            raise _damaged(error) from error


class Summary:
    """A column's values without keeping them."""

    def __init__(self) -> None:
        self.count = 0
        self.least: float | None = None
        self.greatest: float | None = None
        # Apart, so that how the values were cut into batches does not count.
        self._hashes = [hashlib.sha256() for _ in range(3)]

    @property
    def sha256(self) -> str:
        whole = hashlib.sha256(b"".join(one.digest() for one in self._hashes))
        return whole.hexdigest()

    def add(self, array: Any) -> None:
        """Add an array of plain values."""
        import pyarrow as arrow
        import pyarrow.compute as compute

        self.count += len(array)
        lengths, data, valid = self._hashes
        valid.update(_bytes(compute.is_valid(array).cast(arrow.uint8()), 1))
        if arrow.types.is_string(array.type) or arrow.types.is_binary(array.type):
            array = array.fill_null("" if arrow.types.is_string(array.type) else b"")
            lengths.update(_bytes(compute.binary_length(array), 4))
            offsets = memoryview(array.buffers()[1]).cast("i")
            start, end = offsets[array.offset], offsets[array.offset + len(array)]
            if end > start:
                data.update(memoryview(array.buffers()[2])[start:end])
            return
        if arrow.types.is_boolean(array.type):
            array = array.cast(arrow.uint8())
        ends = compute.min_max(array).as_py()
        if ends["min"] is not None and isinstance(ends["min"], int | float):
            self.least = ends["min"] if self.least is None else min(self.least, ends["min"])
            self.greatest = max(ends["max"], self.greatest or ends["max"])
        data.update(_bytes(array.fill_null(0), array.type.bit_width // 8))

    def add_lengths(self, array: Any) -> None:
        """Add the lengths of lists, which decide what the values in them mean."""
        import pyarrow.compute as compute

        self._hashes[0].update(_bytes(compute.list_value_length(array).fill_null(-1), 4))


def _count(array: Any) -> int:
    """How many plain values an array holds."""
    import pyarrow as arrow

    kind = array.type
    if arrow.types.is_struct(kind):
        return sum(map(_count, array.flatten()))
    if arrow.types.is_map(kind):
        return _count(array.keys) + _count(array.items)
    return _count(array.flatten()) if arrow.types.is_list(kind) else len(array)


def _visit(found: dict[str, Summary], name: str, array: Any) -> None:
    import pyarrow as arrow

    kind = array.type
    if arrow.types.is_struct(kind):
        for field, inner in zip(kind, array.flatten(), strict=True):
            _visit(found, f"{name}.{field.name}", inner)
    elif arrow.types.is_map(kind):
        found.setdefault(name, Summary()).count += len(array)
        _visit(found, f"{name}.key", array.keys)
        _visit(found, f"{name}.value", array.items)
    elif arrow.types.is_list(kind):
        inner = array.flatten()
        if not _is_nested(kind.value_type):
            found.setdefault(name, Summary()).add_lengths(array)
        _visit(found, name, inner)
    else:
        found.setdefault(name, Summary()).add(array)


def _is_nested(kind: Any) -> bool:
    import pyarrow as arrow

    return bool(arrow.types.is_nested(kind))


def _bytes(array: Any, width: int) -> memoryview:
    """The bytes of an array of numbers without nulls."""
    buffer = array.buffers()[1]
    if buffer is None:
        return memoryview(b"")
    start = array.offset * width
    return memoryview(buffer)[start : start + len(array) * width]


def _damaged(error: Exception) -> CorruptRelease:
    return CorruptRelease(f"What a stage learnt cannot be read: {str(error)[:200]}.")
