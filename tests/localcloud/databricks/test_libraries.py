"""Libraries from a package index: the index is real and on this machine."""

import pytest
from databricks.sdk.errors import InvalidParameterValue
from databricks.sdk.service.compute import Library, PythonPyPiLibrary
from databricks.sdk.service.jobs import SubmitTask

from tests.localcloud.databricks.server import Server, states


def greet(server: Server, index: str, requirement: str) -> SubmitTask:
    library = Library(pypi=PythonPyPiLibrary(package=requirement, repo=index))
    return server.script("greet", "import greeting; print(greeting.TEXT)", libraries=[library])


@pytest.mark.parametrize(("requirement", "text"), [("greeting==1.0", "hello 1.0!\n"), ("greeting", "hello 2.0!\n")])
def test_a_package_comes_from_the_index_with_what_it_needs(
    light: Server, index: str, requirement: str, text: str
) -> None:
    assert light.logs(light.run(greet(light, index, requirement))) == {"greet": text}


@pytest.mark.parametrize("requirement", ["no-such-package", "--editable=/etc"])
def test_a_package_that_is_not_to_be_had_keeps_the_task_from_starting(
    light: Server, index: str, requirement: str
) -> None:
    run = light.run(greet(light, index, requirement))
    assert states(run) == [("greet", "INTERNAL_ERROR", "FAILED")]
    (output,) = light.outputs(run)
    assert output.error is not None
    assert output.error.startswith(f"Library installation failed for {requirement}: ")


def test_a_library_is_of_one_kind(light: Server) -> None:
    task = light.script("both", "", libraries=[Library(whl="/Workspace/x.whl", pypi=PythonPyPiLibrary(package="x"))])
    with pytest.raises(InvalidParameterValue, match="a library must be one of whl and pypi"):
        light.submit(task)
