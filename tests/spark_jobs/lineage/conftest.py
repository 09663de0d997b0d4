from collections.abc import Iterator

import pytest

from tests.spark_jobs.lineage.catalogue import FakeCatalogue, running_catalogue


@pytest.fixture
def catalogue() -> Iterator[FakeCatalogue]:
    with running_catalogue() as catalogue:
        yield catalogue
