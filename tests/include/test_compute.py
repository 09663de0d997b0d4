from pathlib import Path

import pytest

from include.compute import CAPABILITIES, Capabilities, Compute, check_real_time, compute_named
from include.errors import ConfigurationError


def test_serverless_has_no_account_key_and_no_real_time_mode() -> None:
    assert CAPABILITIES[Compute.SERVERLESS] == Capabilities(
        account_key=False, spark_conf=False, real_time=False, environment=False
    )


def test_every_compute_has_its_row() -> None:
    assert set(CAPABILITIES) == set(Compute)


def test_unknown_compute_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refused:
        compute_named("laptop")
    assert str(refused.value) == (
        "compute must be one of dag_cluster, job_cluster, existing_cluster, instance_pool, serverless, found 'laptop'"
    )


def test_real_time_on_serverless_is_refused() -> None:
    with pytest.raises(ConfigurationError) as refused:
        check_real_time(Compute.SERVERLESS)
    assert str(refused.value) == (
        "realtime needs compute that keeps a stream running (dag_cluster, job_cluster, existing_cluster, "
        "instance_pool), found serverless"
    )


def test_the_documented_matrix_is_the_one_that_counts() -> None:
    page = (Path(__file__).parents[2] / "docs" / "compute.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("| `")
    ]
    documented = {
        row[0].split("`")[1]: Capabilities(
            account_key="the account key" in row[3],
            spark_conf=row[4] == "with the run",
            real_time=row[5] == "yes",
            environment=row[6] != "no",
        )
        for row in rows
    }
    assert documented == CAPABILITIES
