"""A call whose storage fails at any of its requests, made again: always the model's table, and no other in between.

Each case is a copy of one small table. The long forms take every request of the call in turn; every run takes the
commit to the target, which decides. Readers see the target's commits: there is no other table that they could see.

What is left out, because it is the same: a driver that dies at a read leaves what one leaves that dies at the next
write; a read whose answer is lost is to the storage and to the driver one that was refused; and of refused requests
that left blobs of the same names, but for what is random in them, one is followed by the repetition.
"""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from localcloud.home import Home
from localcloud.storage import jvm_options
from tests.cloud import REPOSITORY
from tests.spark_jobs.auto_cdc.fault_lab import CONTAINER, Case, Lab, Moment, Scene, driver_conf, normalised
from tests.spark_jobs.auto_cdc.ledger import CALL, OTHER, Ledger
from tests.spark_jobs.auto_cdc.model import Row
from tests.storage import running_account
from tests.storage_faults import Request, StorageProxy, Verdict, lose_answer, number_is, refuse

_KILLED_DRIVER = Path(__file__).with_name("killed_driver.py")
_TARGETS_COMMIT = re.compile(r"/target/_delta_log/\d{20}\.json\?")
_SCENES = {"type 1": Scene(Ledger(1)), "type 2": Scene(Ledger(2))}
_FIRST_CALLS = {"type 1, its first call": Scene(Ledger(1), ()), "type 2, its first call": Scene(Ledger(2), ())}


@pytest.fixture(scope="module")
def lab(spark: SparkSession, home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    spark.sql(f"CREATE SCHEMA faults LOCATION 'file:{tmp_path_factory.mktemp('faults')}/faults'")
    with running_account(home) as account, StorageProxy(home) as proxy:
        container = account.create_container(CONTAINER)
        yield Lab(spark, "faults", home, container, proxy)
        container.delete_container()  # the account is other tests' too
        spark.sql("DROP SCHEMA faults CASCADE")


def _of(scenes: dict[str, Scene], sampled: Collection[str] = ()) -> pytest.MarkDecorator:
    """Those that are sampled are tried by every run."""
    params = [
        pytest.param(scene, id=name, marks=() if name in sampled else pytest.mark.full)
        for name, scene in scenes.items()
    ]
    return pytest.mark.parametrize("scene", params)


@_of(_SCENES, sampled=["type 2"])
def test_the_commit_that_readers_see(lab: Lab, scene: Scene) -> None:
    """It is refused, or its answer is lost."""
    refused = lab.attempt(scene, "refused_commit", refuse(_is_targets_commit))
    unanswered = lab.attempt(scene, "unanswered_commit", lose_answer(_is_targets_commit))
    assert refused.error
    lab.repeat(refused)
    lab.repeat(unanswered)
    _check(lab, [refused, unanswered])


def _is_targets_commit(request: Request) -> bool:
    return request.writes and bool(_TARGETS_COMMIT.search(request.path))


@pytest.mark.timeout(3600)
@_of(_SCENES | _FIRST_CALLS)
def test_a_driver_that_dies_at_any_request(lab: Lab, scene: Scene) -> None:
    _check_restarts(lab, scene, "died", lab.writes(scene))


@pytest.mark.timeout(3600)
@_of(_SCENES)
def test_any_request_that_is_refused(lab: Lab, scene: Scene) -> None:
    cases, left = [], set()
    for number in itertools.count(1):
        case = lab.attempt(scene, f"refused_{number}", refuse(number_is(number)))
        cases.append(case)
        if len(case.requests) < number:
            break
        if (leaves := tuple(lab.left_in(case.folder))) not in left:
            left.add(leaves)
            lab.repeat(case)
    _check(lab, cases)


@pytest.mark.timeout(3600)
@_of(_SCENES)
def test_any_write_whose_answer_is_lost(lab: Lab, scene: Scene) -> None:
    numbers = [moment.request.number for moment in lab.writes(scene)]
    cases = [lab.attempt(scene, f"unanswered_{number}", lose_answer(number_is(number))) for number in numbers]
    for case in cases:
        lab.repeat(case)
    _check(lab, cases)


@pytest.mark.timeout(3600)
@_of(_SCENES)
def test_a_driver_that_is_killed(lab: Lab, scene: Scene, home: Home, tmp_path: Path) -> None:
    """Six times or so, at other writes: what it leaves is what the other tests of dying drivers take for it."""
    writes = lab.writes(scene)
    cases = []
    for number in range(3, len(writes), len(writes) // 6):
        case = lab.copy(scene, f"killed_{number}", lab.blobs_of(scene))
        with lab.proxy.planned(_Killing(number, driver := _driver(lab, case, home, tmp_path))):
            driver.communicate(json.dumps(driver_conf(home, lab.proxy)).encode(), timeout=600)
        assert driver.returncode == -signal.SIGKILL
        assert lab.left_in(case.folder) == normalised(blob.path for blob in writes[number].blobs)
        lab.restart(case, CALL)
        cases.append(case)
    _check(lab, cases)


@dataclass
class _Killing:
    """A plan: kills the driver, its JVM included, that asks for write `left`, counted from 0, and refuses that."""

    left: int
    driver: subprocess.Popen[bytes]

    def __call__(self, request: Request) -> Verdict:
        if not request.writes:
            return Verdict.PASS
        self.left -= 1
        if self.left >= 0:
            return Verdict.PASS
        os.killpg(self.driver.pid, signal.SIGKILL)
        return Verdict.REFUSE


def _driver(lab: Lab, case: Case, home: Home, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, _KILLED_DRIVER, str(case.scene.ledger.scd_type), lab.location(case.folder)],
        stdin=subprocess.PIPE,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "JAVA_TOOL_OPTIONS": " ".join(jvm_options(home))},
        start_new_session=True,
    )


def _check_restarts(lab: Lab, scene: Scene, name: str, moments: Sequence[Moment]) -> None:
    """The call is repeated by a new driver, in every other case after another call."""
    cases = [lab.copy(scene, f"{name}_{number}", moment.blobs) for number, moment in enumerate(moments)]
    for number, case in enumerate(cases):
        lab.restart(case, *([OTHER, CALL] if number % 2 else [CALL]))
    _check(lab, cases)


def _check(lab: Lab, cases: Sequence[Case]) -> None:
    seen = lab.tables_since(cases)
    wrong = [f"{case.folder}, {case.error}: {seen[case.folder]}" for case in cases if not _is_right(case, seen)]
    assert cases
    assert not wrong, "\n".join(wrong)


def _is_right(case: Case, seen: dict[str, list[list[Row]]]) -> bool:
    tables, allowed = seen[case.folder], case.may_show()
    ended = not case.finished or tables[-1:] == allowed[-1:]
    return ended and all(table in allowed for table in tables)
