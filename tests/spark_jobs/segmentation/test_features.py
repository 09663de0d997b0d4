import numpy as np
from pyspark.sql import SparkSession

from spark_jobs.segmentation.features import FEATURES, Scaling, read_features

VALUES = np.array([[0.0, 1.0, 9.99], [3.0, 2.0, 100.0], [364.0, 40.0, 12_345.67]])


def test_scaled_logs_have_mean_zero_and_deviation_one_and_can_be_undone() -> None:
    scaling = Scaling.fit(VALUES)

    points = scaling.apply(VALUES)

    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-8)
    np.testing.assert_allclose(points.std(axis=0), 1, atol=1e-8)
    np.testing.assert_allclose(scaling.undo(points), VALUES, rtol=1e-12)


def test_a_feature_that_is_the_same_for_all_is_zero() -> None:
    values = np.array([[1.0, 1.0, 5.0], [2.0, 1.0, 5.0]])

    np.testing.assert_allclose(Scaling.fit(values).apply(values)[:, 1:], 0, atol=1e-8)


def test_spark_scales_as_numpy_does(spark: SparkSession) -> None:
    scaling = Scaling.fit(VALUES)
    values_df = spark.createDataFrame(VALUES.tolist(), schema=", ".join(f"{name} double" for name in FEATURES))

    actual = np.array([tuple(row) for row in values_df.coalesce(1).select(scaling.columns()).collect()])

    np.testing.assert_allclose(actual, scaling.apply(VALUES), rtol=1e-12)


def test_features_are_in_customer_order_however_the_rows_are_stored(spark: SparkSession) -> None:
    rows = [(3, 364, 40, "12345.67"), (1, 0, 1, "9.99"), (2, 3, 2, "100.00")]
    columns = "customer_id bigint, recency_days int, frequency bigint, amount string"
    rfm_df = spark.createDataFrame(rows, schema=columns).selectExpr("*", "cast(amount as decimal(18,2)) monetary")

    assert read_features(rfm_df.repartition(3)).tolist() == VALUES.tolist()
