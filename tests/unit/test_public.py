"""The public names, pinned."""

import subprocess
import sys

import pytest

import gavial
from gavial import errors

PUBLIC = {
    "Coordinate",
    "Dataset",
    "Labels",
    "ModelRepository",
    "Module",
    "Release",
    "Route",
    "Version",
    "VersionedPipeline",
    "__version__",
    "approve",
    "available",
    "compare",
    "coordinate",
    "deploy",
    "diff",
    "errors",
    "lookup",
    "monitor",
    "promote",
    "repository",
    "resolve",
    "run_route",
    "spark_conf",
    "streaming",
}


def test_the_public_names_are_these():
    assert set(gavial.__all__) == set(dir(gavial)) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_each_can_be_imported(name):
    assert getattr(gavial, name) is not None


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'publish'"):
        _ = gavial.publish


def test_every_error_has_one_root_and_an_exit_code():
    found = [one for one in vars(errors).values() if isinstance(one, type)]
    assert len(found) > 10
    for one in found:
        assert issubclass(one, errors.GavialError)
        assert one.exit_code in (1, 2, 3)
        assert one.__name__ in errors.__doc__


def test_importing_gavial_imports_nothing_that_may_be_missing():
    """Only the standard library: the whole package travels as a jar."""
    script = (
        "import sys; before = set(sys.modules); import gavial; "
        "import gavial.registry.resolve, gavial.model.jar, gavial.maven.settings; "
        "import gavial.streaming, gavial.registry.diff, gavial.registry.find; "
        "import gavial.registry.lookup, gavial.registry.monitor, gavial.registry.run_route; "
        "import gavial.registry.scanned, gavial.registry.states, gavial.registry.compared; "
        "import gavial.registry.route, gavial.registry.referenced, gavial.reports.notebook; "
        "import gavial.monitoring.judge, gavial.monitoring.outcome, gavial.monitoring.count; "
        "names = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(name for name in names - set(sys.stdlib_module_names) - {'gavial'}"
        " if not name.startswith('_sysconfigdata')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
