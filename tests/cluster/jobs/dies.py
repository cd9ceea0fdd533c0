"""A job that is killed while it saves a model, with another one loaded."""

import slow_stage
from pyspark.ml import PipelineModel
from steps import MODELS, SHARED, deploy, session

import gavial

spark = session()
loaded = gavial.resolve("com.acme:churn:1.0", repository=MODELS)
slow = PipelineModel([slow_stage.Slow(str(SHARED / "told")), *loaded.stages])
deploy(slow, "com.acme:dead:1.0", python_modules=["slow_stage"], watermark_col=None)
