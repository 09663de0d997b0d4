"""One call of `apply_changes`, made again and again on copies of one small table, while its storage fails.

The table lies in Azurite, reached through a proxy as production URIs are, by a driver that tries nothing twice.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

from azure.storage.blob import ContainerClient
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from localcloud.home import STORAGE_ACCOUNT, Home
from localcloud.ports import HOST
from tests.spark_jobs.auto_cdc.ledger import BEFORE, CALL, OTHER, Change, Ledger, in_order
from tests.spark_jobs.auto_cdc.model import Row
from tests.storage import hadoop_conf, let_reach
from tests.storage_faults import Plan, Request, StorageProxy, Verdict, nothing_fails

# A container of the lab's own: a JVM keeps one connection per container, with its first settings.
CONTAINER = "faults"
_ROOT = f"abfss://{CONTAINER}@{STORAGE_ACCOUNT}.dfs.core.windows.net"
_COMMIT = re.compile(r"target/_delta_log/(\d{20})\.json$")
_RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_READ_AT_ONCE = 40


def driver_conf(home: Home, proxy: StorageProxy) -> dict[str, str]:
    """What a driver is given to reach the storage through the proxy, and to fail where a request fails."""
    return hadoop_conf(home) | {
        "fs.azure.abfs.endpoint": f"{HOST}:{proxy.port}",
        "fs.azure.io.retry.max.retries": "0",
        "fs.azure.enable.autothrottling": "false",
    }


@dataclass(frozen=True)
class Blob:
    """One blob below a folder."""

    path: str
    content: bytes
    metadata: dict[str, str]


@dataclass(frozen=True)
class Moment:
    """A request, and the blobs below the table's folder just before it."""

    request: Request
    blobs: list[Blob]


@dataclass(frozen=True)
class Scene:
    """A table that the call finds.

    Attributes:
        ledger: How calls are made.
        history: The calls that it has seen; without any, the call finds an empty table and has all to set up.
    """

    ledger: Ledger
    history: tuple[Sequence[Change], ...] = (BEFORE,)

    @property
    def folder(self) -> str:
        return f"type_{self.ledger.scd_type}_after_{len(self.history)}"


@dataclass
class Case:
    """One copy of a scene's table and what was done with it.

    Attributes:
        scene: What was copied.
        folder: Where in the container the copy lies.
        target: Its name in the driver that made the first attempt.
        requests: What the first attempt sent.
        error: What the first attempt raised.
        finished: The calls that were made afterwards, none of which failed.
    """

    scene: Scene
    folder: str
    target: str
    requests: Sequence[Request] = ()
    error: Exception | None = None
    finished: list[Sequence[Change]] = field(default_factory=list)

    def may_show(self) -> list[list[Row]]:
        """The model's tables of some of the calls; the last is that of all."""
        history = [change for call in self.scene.history for change in call]
        made = [CALL, OTHER] if OTHER in self.finished else [CALL]
        some = [
            itertools.chain(*calls) for size in range(len(made) + 1) for calls in itertools.combinations(made, size)
        ]
        return [self.scene.ledger.model([*history, *changes]) for changes in some]


class Lab:
    """Makes copies of the scenes' tables, and calls on them."""

    def __init__(
        self, spark: SparkSession, schema: str, home: Home, container: ContainerClient, proxy: StorageProxy
    ) -> None:
        self._spark = spark
        self._schema = schema
        self.proxy = proxy
        self._container = container
        self._names = itertools.count()
        self._prepared: dict[str, list[Blob]] = {}
        self._writes: dict[str, list[Moment]] = {}
        let_reach(spark, home, driver_conf(home, proxy))

    def attempt(self, scene: Scene, name: str, plan: Plan = nothing_fails) -> Case:
        """Makes the call on a new copy of the scene's table while the storage follows the plan."""
        case = self.copy(scene, name, self.blobs_of(scene))
        with self.proxy.planned(plan) as requests:
            try:
                scene.ledger.apply(self._spark, case.target, CALL)
            except Exception as error:
                case.error = error
        case.requests = list(requests)
        return case

    def writes(self, scene: Scene) -> list[Moment]:
        """The call's writes to the storage, each with what a driver leaves that dies at it, or at a read before it.

        All are taken during one call, between its requests. What no reader can see is left out: blocks of a blob that
        were sent and not committed.
        """
        if scene.folder not in self._writes:
            moments: list[Moment] = []

            def keep(request: Request) -> Verdict:
                if request.writes:
                    moments.append(Moment(request, list(_blobs_in(self._container, f"{scene.folder}_observed/"))))
                return Verdict.PASS

            assert self.attempt(scene, "observed", keep).error is None
            self._writes[scene.folder] = moments
        return self._writes[scene.folder]

    @staticmethod
    def location(folder: str) -> str:
        return f"{_ROOT}/{folder}/target"

    def repeat(self, case: Case) -> None:
        """The driver that made the first attempt makes it again."""
        self._apply(case, case.target, CALL)

    def restart(self, case: Case, *calls: Sequence[Change]) -> None:
        """A driver that remembers nothing makes calls."""
        jvm = self._spark.sparkContext._jvm
        assert jvm is not None
        jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()
        target = self._registered(case.folder)
        for call in calls:
            self._apply(case, target, call)

    def _apply(self, case: Case, target: str, call: Sequence[Change]) -> None:
        case.scene.ledger.apply(self._spark, target, call)
        case.finished.append(call)

    def tables_since(self, cases: Iterable[Case]) -> dict[str, list[list[Row]]]:
        """What a reader can have seen in each case: the table of each commit since the scene's last, by folder."""
        tables: dict[str, list[list[Row]]] = {case.folder: [] for case in cases}
        new = [(case.folder, version) for case in cases for version in self._new_versions(case)]
        for some in (new[start : start + _READ_AT_ONCE] for start in range(0, len(new), _READ_AT_ONCE)):
            rows = reduce(DataFrame.union, itertools.starmap(self._table, some)).collect()
            for folder, version in some:
                shown = [row["row"].asDict() for row in rows if (row["folder"], row["version"]) == (folder, version)]
                tables[folder].append(in_order(shown))
        return tables

    def _new_versions(self, case: Case) -> list[int]:
        known = _commits_in(blob.path for blob in self.blobs_of(case.scene))
        return [version for version in _commits_in(self.left_in(case.folder)) if version not in known]

    def _table(self, folder: str, version: int) -> DataFrame:
        table = self._spark.read.format("delta").option("versionAsOf", version).load(self.location(folder))
        return table.select(F.lit(folder).alias("folder"), F.lit(version).alias("version"), F.struct("*").alias("row"))

    def left_in(self, folder: str) -> list[str]:
        """The names of all blobs, without what is random in them."""
        names = self._container.list_blob_names(name_starts_with=f"{folder}/")
        return normalised(name.removeprefix(f"{folder}/") for name in names)

    def copy(self, scene: Scene, name: str, blobs: Iterable[Blob]) -> Case:
        """A table of the scene's, in a folder of its own, that holds these blobs."""
        folder = f"{scene.folder}_{name}"
        for blob in blobs:
            self._container.upload_blob(f"{folder}/{blob.path}", blob.content, metadata=blob.metadata)
        return Case(scene, folder, self._registered(folder))

    def blobs_of(self, scene: Scene) -> list[Blob]:
        """What the call finds."""
        if scene.folder not in self._prepared:
            target = self._registered(scene.folder, f"({scene.ledger.columns})")
            for call in scene.history:
                scene.ledger.apply(self._spark, target, call)
            self._prepared[scene.folder] = list(_blobs_in(self._container, f"{scene.folder}/"))
        return self._prepared[scene.folder]

    def _registered(self, folder: str, columns: str = "") -> str:
        """A name, as a new catalog would give it, for the table in a folder."""
        name = f"{self._schema}.t{next(self._names)}"
        self._spark.sql(f"CREATE TABLE {name} {columns} USING delta LOCATION '{self.location(folder)}'")
        return name


def _blobs_in(container: ContainerClient, folder: str) -> Iterator[Blob]:
    for blob in container.list_blobs(name_starts_with=folder, include=["metadata"]):
        content = container.download_blob(blob.name).readall()
        yield Blob(blob.name.removeprefix(folder), content, blob.metadata)


def normalised(names: Iterable[str]) -> list[str]:
    return sorted(_RANDOM.sub("*", name) for name in names)


def _commits_in(names: Iterable[str]) -> list[int]:
    """The versions of the target that are there."""
    found = (_COMMIT.match(name) for name in names)
    return sorted(int(commit[1]) for commit in found if commit)
