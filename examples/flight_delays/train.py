"""Train the model on some months of 2013 and release it.

python train.py --months 1 2 --flights build/demo/flights --repository build/demo/staging
"""

import argparse
from pathlib import Path

from flights import load
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import Bucketizer, OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, expr

import gavial

MODEL = "com.example:flight-delays:1.0"
INPUTS = ["carrier", "origin", "dest", "weekday", "hour", "distance"]


def pipeline() -> gavial.VersionedPipeline:
    """Of a flight in the timetable: will it come more than 15 minutes late?"""
    names = ["carrier", "origin", "dest", "weekday"]
    indices = [f"{name}_index" for name in names]
    vectors = [f"{name}_vector" for name in names]
    return gavial.VersionedPipeline(
        stages=[
            # April has destinations that January had not: "keep" gives them a place.
            StringIndexer(inputCols=names, outputCols=indices, handleInvalid="keep"),
            # Night, morning, midday, afternoon, evening.
            Bucketizer(splits=[0, 6, 10, 14, 18, 24], inputCol="hour", outputCol="part_of_day"),
            OneHotEncoder(
                inputCols=[*indices, "part_of_day"], outputCols=[*vectors, "part_of_day_vector"]
            ),
            VectorAssembler(
                inputCols=[*vectors, "part_of_day_vector", "hour", "distance"],
                outputCol="features",
            ),
            LogisticRegression(labelCol="late", maxIter=20),
        ]
    ).setWatermarkCol("pipeline")


def main() -> None:
    options = arguments()
    spark = SparkSession.builder.appName("flight-delays: train").getOrCreate()
    flights = load(spark, options.flights)
    known = flights.where(col("month").isin(options.months))
    # A quarter is kept from the fit: later flights are held against what the model makes of it.
    kept = expr("pmod(xxhash64(id), 4) = 0")
    training, reference = known.where(~kept), known.where(kept)
    if options.share < 1:
        training = training.sample(options.share, seed=1)
    training = training.cache()
    following = flights.where(col("month") == max(options.months) + 1)

    model = pipeline().fit(training)
    auc = BinaryClassificationEvaluator(labelCol="late").evaluate(model.transform(following))
    print(f"Trained on {training.count():,} flights of the months {options.months}.")
    print(f"On the month that follows, its AUC is {auc:.3f}.")

    release = gavial.deploy(
        model,
        MODEL,
        repository=str(options.repository),
        metrics={"auc": auc},
        metrics_on=gavial.Dataset(following, name=f"flights of month {max(options.months) + 1}"),
        training_data=gavial.Dataset(
            training, name=f"flights of the months {options.months}", time_col="time_hour"
        ),
        input_example=training.select(INPUTS).limit(20),
        reference=reference,
        label="late",
        time="time_hour",
        description="Will a flight from New York come more than 15 minutes late?",
        intended_use="To plan connections some days ahead.",
        limits="Flights from New York alone; cancelled ones are not in the data.",
        owner="delays@example.com",
        sign=options.sign,
    )
    print(f"Released {release.coordinate}")
    spark.stop()


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--months", type=int, nargs="+", default=[1, 2], choices=range(1, 12))
    parser.add_argument("--flights", type=Path, default=Path("build/demo/flights"))
    parser.add_argument("--repository", type=Path, default=Path("build/demo/staging"))
    parser.add_argument("--share", type=float, default=1.0, help="of the flights to train on")
    parser.add_argument("--sign", type=Path, help="the private key that signs the release")
    return parser.parse_args()


if __name__ == "__main__":
    main()
