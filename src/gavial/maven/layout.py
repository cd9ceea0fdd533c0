"""Where the files of a module lie in a Maven2 repository. Pure: paths with forward slashes.

Source: https://maven.apache.org/repository/layout.html
"""

from __future__ import annotations

from gavial.maven.coordinate import AnyCoordinate, Entry, Module

METADATA = "maven-metadata.xml"
UNSUMMED = ".asc"  # signatures by gpg, beside which Maven puts no checksums


def module_folder(module: Module) -> str:
    """The folder of a module's versions.

    >>> module_folder(Module("com.acme", "churn"))
    'com/acme/churn'
    """
    return f"{module.group.replace('.', '/')}/{module.artifact}"


def metadata_path(module: Module) -> str:
    """The path of the `maven-metadata.xml` that lists a module's versions."""
    return f"{module_folder(module)}/{METADATA}"


def release_folder(coordinate: AnyCoordinate) -> str:
    """The folder of one release's files."""
    return version_folder(coordinate.module, str(coordinate.version))


def version_folder(module: Module, version: str) -> str:
    """The folder of one version's files; the version may be one that is not ours."""
    return f"{module_folder(module)}/{version}"


def file_name(module: Module, version: str, extension: str, classifier: str = "") -> str:
    """The name of one file of a release: `artifact-version[-classifier].extension`.

    >>> file_name(Module("com.acme", "churn"), "1.0.3", "xml", "metadata")
    'churn-1.0.3-metadata.xml'
    """
    suffix = f"-{classifier}" if classifier else ""
    return f"{module.artifact}-{version}{suffix}.{extension}"


def file_path(coordinate: AnyCoordinate, extension: str, classifier: str = "") -> str:
    """The path of one file of a release."""
    return (
        f"{release_folder(coordinate)}/"
        f"{file_name(coordinate.module, str(coordinate.version), extension, classifier)}"
    )


def pom_path(coordinate: AnyCoordinate) -> str:
    """The path of the POM: the file whose presence makes a version a release."""
    return file_path(coordinate, "pom")


def jar_path(coordinate: AnyCoordinate) -> str:
    """The path of the jar."""
    return file_path(coordinate, "jar")


def claim_path(coordinate: AnyCoordinate) -> str:
    """The path of `-metadata.xml`, whose token says which deploy owns the number."""
    return file_path(coordinate, "xml", "metadata")


def card_path(coordinate: AnyCoordinate) -> str:
    """The path of the model card."""
    return file_path(coordinate, "json", "card")


def details_path(entry: Entry) -> str:
    """The path of what a record beside a model says: who, when, why."""
    return file_path(entry, "json", "record")


def signature_path(coordinate: AnyCoordinate) -> str:
    """The path of the signature over a release's or a record's other files."""
    return file_path(coordinate, "json", "signature")


def bom_path(coordinate: AnyCoordinate) -> str:
    """The path of the bill of materials, in CycloneDX."""
    return file_path(coordinate, "json", "cyclonedx")


def reference_path(coordinate: AnyCoordinate) -> str:
    """The path of what a version's records looked like when it was released."""
    return file_path(coordinate, "parquet", "reference")
