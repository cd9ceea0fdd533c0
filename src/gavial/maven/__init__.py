"""Maven repositories in Python. Knows nothing of models or of Spark."""
