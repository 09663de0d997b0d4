"""A running storage account for tests, and sessions that reach it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from azure.storage.blob import BlobServiceClient
from pyspark.sql import SparkSession

from localcloud import storage
from localcloud.home import Home
from localcloud.services import azurite
from localcloud.waiting import wait_until


@contextmanager
def running_account(home: Home) -> Iterator[BlobServiceClient]:
    """A running account with its container, and Azure's client for it."""
    service = azurite.service(home)
    with (home.logs / "azurite.log").open("wb") as log:
        server = subprocess.Popen(service.command, env=os.environ | service.environment, stdout=log, stderr=log)
    try:
        wait_until(service.is_healthy, f"Azurite should answer at {service.address}", 120)
        service.initialise()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REQUESTS_CA_BUNDLE", str(home.tls / "ca-bundle.pem"))
            yield BlobServiceClient.from_connection_string(storage.connection_string(home))
    finally:
        server.terminate()
        server.wait(30)


def hadoop_conf(home: Home) -> dict[str, str]:
    """What a cluster has from its configuration, the account's key included."""
    key = {storage.ACCOUNT_KEY: home.secret("storage-key")}
    return storage.hadoop_conf(home) | key


def let_reach(spark: SparkSession, home: Home, conf: Mapping[str, str]) -> None:
    """Gives a session, which runs already, what a cluster has from its configuration."""
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    for option in storage.jvm_options(home):
        name, value = option.removeprefix("-D").split("=", 1)
        jvm.java.lang.System.setProperty(name, value)
    for name, value in conf.items():
        spark.conf.set(name, value)
