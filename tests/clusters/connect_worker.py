"""Runs what comes on standard input beside one session of Spark Connect: see connect_client.py."""

from __future__ import annotations

import json
import os
import sys
import traceback


def main(url: str) -> None:
    # What code prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from pyspark.sql import SparkSession

    import gavial

    spark = SparkSession.builder.remote(url).getOrCreate()
    for line in sys.stdin:
        order = json.loads(line)
        names = {"__name__": "__main__", "spark": spark, "gavial": gavial, **order["values"]}
        try:
            exec(compile(order["code"], "<test>", "exec"), names)
            came = {"answer": names.get("answer")}
        except Exception as error:
            came = {
                "error": type(error).__name__,
                "message": str(error),
                "trace": traceback.format_exc(),
            }
        print(json.dumps(came), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
