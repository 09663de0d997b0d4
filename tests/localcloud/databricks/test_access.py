"""Who may ask, for what, and how refusals look."""

import socket

import pytest
from databricks.sdk import WorkspaceClient, errors
from databricks.sdk.errors import InvalidParameterValue, Unauthenticated

from tests.localcloud.databricks.server import Server


def test_a_wrong_token_is_refused(workspace: Server) -> None:
    stranger = WorkspaceClient(host=workspace.url, token="wrong")
    with pytest.raises(Unauthenticated, match="a valid token is required"):
        stranger.current_user.me()


def test_no_token_is_refused_even_where_nothing_answers(workspace: Server) -> None:
    with workspace.http(token="wrong") as http:
        assert http.get("/api/2.0/no/such/route").status_code == 401


def test_the_token_lets_in(workspace: Server) -> None:
    assert workspace.client.current_user.me().user_name == "localcloud"


def test_what_is_not_implemented_is_named(workspace: Server) -> None:
    with workspace.http() as http:
        answer = http.post("/api/2.0/pipelines", json={})
    assert answer.status_code == 501
    assert answer.json() == {
        "error_code": "NOT_IMPLEMENTED",
        "message": "POST /api/2.0/pipelines is not implemented by the local workspace",
    }
    with pytest.raises(errors.NotImplemented, match=r"GET /api/2\.0/secrets/acls/list is not implemented"):
        list(workspace.client.secrets.list_acls("bookstore"))


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_foreign_host_and_origin_are_refused(workspace: Server, headers: dict[str, str]) -> None:
    with workspace.http() as http:
        assert http.get("/api/2.0/preview/scim/v2/Me", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/../../secrets/databricks-token", "/Shared/../../../x", "relative"])
def test_paths_lead_nowhere_else(workspace: Server, path: str) -> None:
    with pytest.raises(InvalidParameterValue, match="absolute path without"):
        workspace.client.workspace.get_status(path)
    with pytest.raises(InvalidParameterValue, match="absolute path without"):
        workspace.client.dbfs.get_status(path)


def test_encoded_paths_to_volumes_lead_nowhere_else(workspace: Server) -> None:
    with workspace.http() as http:
        answer = http.get("/api/2.0/fs/files/Volumes/%2e%2e/%2e%2e/secrets/databricks-token")
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"


def test_secret_names_are_no_paths(workspace: Server) -> None:
    with pytest.raises(InvalidParameterValue, match="a scope's name has"):
        workspace.client.secrets.create_scope("../scope")
    with pytest.raises(InvalidParameterValue, match="a key's name has"):
        workspace.client.secrets.put_secret("bookstore", "..", string_value="x")


def test_unreadable_payloads_say_what_is_wrong(workspace: Server) -> None:
    with workspace.http() as http:
        answer = http.post("/api/2.2/jobs/runs/cancel", json={"run_id": "one"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("run_id: Input should be a valid integer")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dG9rZW46eA==", "bearer wrong", "Bearer dapi", "Bearer \xff\xfe", "Token x"],
)
def test_a_guessed_token_is_refused(light: Server, header: str) -> None:
    assert _status(light, header) == 401


def test_a_part_of_the_token_is_refused_and_so_is_more_than_it(light: Server) -> None:
    guesses = [light.token[:-1], f"{light.token}x", light.token.upper(), f" {light.token}", f"{light.token}, Bearer x"]
    assert [_status(light, f"Bearer {guess}") for guess in guesses] == [401] * 5
    assert _status(light, light.token) == 401
    assert _status(light, f"Bearer {light.token}") == 200


def _status(light: Server, header: str) -> int:
    """By hand, since clients refuse to send some of these."""
    request = f"GET /api/2.0/preview/scim/v2/Me HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {header}\r\n"
    with socket.create_connection(("127.0.0.1", light.home.port("workspace")), timeout=30) as connection:
        connection.sendall(f"{request}Connection: close\r\n\r\n".encode("latin-1"))
        return int(connection.recv(1024).split()[1])
