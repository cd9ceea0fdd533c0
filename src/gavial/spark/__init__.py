"""What needs a Spark session: fitting, saving, loading, and finding what `--packages` brought.

The only importer of pyspark.
"""

from gavial.errors import ConfigurationError

try:
    import pyspark  # noqa: F401
except ModuleNotFoundError as missing:
    raise ConfigurationError(
        'This needs pyspark, which is not installed: pip install "gavial[spark]", or run it where '
        "a platform brings Spark."
    ) from missing
