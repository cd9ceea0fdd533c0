"""A repository in a plain folder, which several machines may share.

Nothing here is ever changed in place: a file is written beside its place and linked into it,
which fails where there is one; `maven-metadata.xml` alone is replaced, in one step.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from gavial import limits
from gavial.errors import (
    AccessDenied,
    CorruptRelease,
    RepositoryError,
    RepositoryRefused,
    RepositoryUnavailable,
)
from gavial.maven.content import Content
from gavial.maven.repository import FolderAnswer, Progress, Repository

_CHUNK = 1 << 20
_CLONED = 64 << 20
_TEMPORARY = ".gavial-"
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# What a file system without hard links answers to `link` (FAT, some network and FUSE ones).
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EOPNOTSUPP}


class FolderRepository(Repository):
    """A folder in Maven2's layout."""

    lists_itself = True

    def __init__(self, folder: Path, repository_id: str = "folder") -> None:
        self.folder = folder.absolute()
        self._root = f"{self.folder}{os.sep}"
        self.id = repository_id
        self.url = self.folder.as_uri() + "/"

    def read(self, path: str) -> bytes | None:
        with (
            self._errors("read", path),
            suppress(FileNotFoundError, NotADirectoryError),
            _opened(self._place(path)) as file,
        ):
            # Not `read(limit)`, which takes so much memory at once.
            if os.fstat(file.fileno()).st_size > limits.SMALL_FILE:
                raise RepositoryUnavailable(
                    f"{path} in {self.folder} has more than {limits.SMALL_FILE} bytes: no such "
                    "file is so large."
                )
            return file.read()
        return None

    def download(self, path: str, target: BinaryIO, progress: Progress | None = None) -> bool:
        with self._errors("read", path), suppress(FileNotFoundError, NotADirectoryError):
            with _opened(self._place(path)) as source:
                _copy(source, target, progress)
            return True
        return False

    def clone(
        self, path: str, target: BinaryIO, limit: int, progress: Progress | None = None
    ) -> bool:
        """Copy a file into `target`, a new and empty file of this machine, within the system.

        A file system that can (Btrfs, XFS, some of the network) copies no bytes for that.

        Returns:
            `False` where there is no such file.

        Raises:
            CorruptRelease: it has more than `limit` bytes.
        """
        with self._errors("read", path), suppress(FileNotFoundError, NotADirectoryError):
            with _opened(self._place(path)) as source:
                size = os.fstat(source.fileno()).st_size
                if size > limit:
                    raise CorruptRelease(
                        f"{path} in {self.folder} has {size} bytes, and {limit} were released."
                    )
                _clone(source, target, progress)
            return True
        return False

    def exists(self, path: str) -> bool:
        # Asked for each of ten thousand versions, so without a context and a `Path`.
        try:
            return stat.S_ISREG(os.stat(f"{self._root}{path}").st_mode)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return False
        except (OSError, ValueError):
            with self._errors("read", path):
                return self._place(path).is_file()

    def stamp(self, path: str) -> str | None:
        try:
            found = os.stat(f"{self._root}{path}")  # noqa: PTH116 as `exists`
        except (OSError, ValueError):
            return None
        # As git's index: no program sets the time of a state's last change.
        return f"{found.st_size}-{found.st_ino}-{found.st_mtime_ns}-{found.st_ctime_ns}"

    def write(
        self,
        path: str,
        content: Content,
        *,
        replace: bool = False,
        progress: Progress | None = None,
    ) -> RepositoryError | None:
        place = self._place(path)
        with self._errors("write", path):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                with _written_beside(place, content, progress) as temporary:
                    if replace:
                        temporary.replace(place)
                    else:
                        _link(temporary, place)
                _sync_folder(place.parent)
            except FileExistsError:
                return RepositoryRefused(f"{place} exists, and a release never changes.")
        return None

    def make_folder(self, path: str) -> FolderAnswer:
        place = self._place(path)
        with self._errors("write", path):
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                place.mkdir()
            except FileExistsError:
                return FolderAnswer.EXISTS
            _sync_folder(place.parent)
            return FolderAnswer.MADE

    def names(self, path: str) -> tuple[str, ...] | None:
        with self._errors("list", path), suppress(FileNotFoundError, NotADirectoryError):
            found = (entry.name for entry in os.scandir(self._place(path)))
            return tuple(sorted(n for n in found if not n.startswith(_TEMPORARY)))
        return ()

    def delete(self, path: str) -> RepositoryError | None:
        place = self._place(path.rstrip("/"))
        try:
            with self._errors("remove", path), suppress(FileNotFoundError):
                if path.endswith("/"):
                    place.rmdir()
                else:
                    place.unlink()
        except AccessDenied as error:
            return error
        return None

    def _place(self, path: str) -> Path:
        return self.folder.joinpath(*path.split("/"))

    @contextmanager
    def _errors(self, verb: str, path: str) -> Iterator[None]:
        """Let no `OSError` but 'not found' out: say what was tried, where, and what to do."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, FileExistsError) as error:
            if verb != "write":
                raise
            raise RepositoryUnavailable(
                f"Cannot write {path} in {self.folder}: {error.strerror}."
            ) from error
        except OSError as error:
            what = f"Cannot {verb} {path} in {self.folder}: {error.strerror or error}."
            if error.errno in _DENIED:
                raise AccessDenied(f"{what} Ask for the right to {verb} there.") from error
            if error.errno in _FULL:
                raise RepositoryUnavailable(f"{what} Make room.") from error
            raise RepositoryUnavailable(what) from error


def _opened(place: Path) -> BinaryIO:
    """A file to read, and no device or pipe, which could go on for ever."""
    descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RepositoryUnavailable(f"{place} is no plain file: have it looked at.")
    return os.fdopen(descriptor, "rb")


@contextmanager
def _written_beside(place: Path, content: Content, progress: Progress | None) -> Iterator[Path]:
    """A file with `content` in the folder of `place`, on disk; gone again afterwards."""
    temporary = place.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
    try:
        if _taken(content, temporary):
            if progress is not None:
                progress(content.size)
        else:
            _copied(content, temporary, progress)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _copied(content: Content, temporary: Path, progress: Progress | None) -> None:
    # 0o666 and not mkstemp's 0o600: the umask decides who may read a release.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(descriptor, "wb") as target, content.open() as source:
        _copy(source, target, progress)
        target.flush()
        os.fsync(target.fileno())


def _taken(content: Content, temporary: Path) -> bool:
    """Take a file that was given up as it is, on disk; `False` where it lies on another one."""
    if not (content.given_up and isinstance(content.source, Path)):
        return False
    try:
        os.link(content.source, temporary)
    except OSError:
        return False
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def _link(temporary: Path, place: Path) -> None:
    """Give the file its name, unless something has it."""
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Without hard links a look must do: the version's folder is claimed by us alone.
        if place.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place)) from error
        temporary.replace(place)


def _sync_folder(folder: Path) -> None:
    """Make a new name durable, where the system can (Windows cannot open a folder)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _clone(source: BinaryIO, target: BinaryIO, progress: Progress | None) -> None:
    try:
        while count := os.copy_file_range(source.fileno(), target.fileno(), _CLONED):
            if progress is not None:
                progress(count)
    except (AttributeError, OSError):  # not on this system, or not between these two
        if progress is not None:
            progress(-target.seek(0, os.SEEK_CUR))
        source.seek(0)
        target.seek(0)
        target.truncate()
        _copy(source, target, progress)


def _copy(source: BinaryIO, target: BinaryIO, progress: Progress | None) -> None:
    if progress is None:
        shutil.copyfileobj(source, target, _CHUNK)
        return
    while chunk := source.read(_CHUNK):
        target.write(chunk)
        progress(len(chunk))
