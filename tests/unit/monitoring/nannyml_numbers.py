"""NannyML's numbers of its car loans, as JSON. It runs in its own environment: build/oracles."""

import json
import os
import warnings

warnings.filterwarnings("ignore")
os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # it tells its makers of each call otherwise

import nannyml  # noqa: E402

reference, analysis, target = nannyml.load_synthetic_car_loan_dataset()
columns = {
    "y_pred_proba": "y_pred_proba",
    "y_pred": "y_pred",
    "y_true": "repaid",
    "timestamp_column_name": "timestamp",
    "problem_type": "classification_binary",
    "metrics": ["roc_auc", "f1", "precision", "recall", "accuracy"],
    "chunk_size": 5000,
}
realised = nannyml.PerformanceCalculator(**columns).fit(reference)
realised = realised.calculate(analysis.merge(target, on="id"))
estimated = nannyml.CBPE(**columns).fit(reference).estimate(analysis)
drifted = nannyml.UnivariateDriftCalculator(
    column_names=["car_value", "debt_to_income_ratio"],
    timestamp_column_name="timestamp",
    continuous_methods=["wasserstein"],
    chunk_size=5000,
)
drift = drifted.fit(reference).calculate(analysis)


def values(result, metric):
    frame = result.filter(period="analysis").to_df()
    return [float(one) for one in frame[metric]["value"]]


print(
    json.dumps(
        {
            "realised": {one: values(realised, one) for one in columns["metrics"]},
            "estimated": {one: values(estimated, one) for one in columns["metrics"]},
            "wasserstein": {
                one: [
                    float(value)
                    for value in drift.filter(period="analysis").to_df()[one]["wasserstein"][
                        "value"
                    ]
                ]
                for one in ("car_value", "debt_to_income_ratio")
            },
        }
    )
)
