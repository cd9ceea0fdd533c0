"""What needs a Spark session: fitting, saving, loading, and finding what `--packages` brought.

The only importer of pyspark.
"""
