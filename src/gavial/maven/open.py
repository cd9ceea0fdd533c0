"""From settings to a repository that answers."""

from __future__ import annotations

from gavial.errors import ConfigurationError
from gavial.maven.folder import FolderRepository
from gavial.maven.locations import as_path
from gavial.maven.repository import Repository
from gavial.maven.setting_values import RepositorySettings


def open_repository(settings: RepositorySettings) -> Repository:
    """The repository that settings describe. Nothing is asked of it yet.

    Raises:
        ConfigurationError: its settings must not be used (`problem`), or need a library that
            is not installed.
    """
    if settings.problem:
        raise ConfigurationError(settings.problem)
    if settings.is_folder:
        return FolderRepository(as_path(settings.url.value), settings.id)
    from gavial.maven.http import HttpRepository

    credentials: tuple[str, str] | str | None = None
    if settings.token:
        credentials = settings.token.value.reveal()
    elif settings.username and settings.password:
        credentials = (settings.username.value, settings.password.value.reveal())
    return HttpRepository(
        settings.url.value,
        settings.id,
        credentials=credentials,
        ca_file=settings.ca_file.value if settings.ca_file else None,
        client_cert=settings.client_cert.value if settings.client_cert else None,
    )
