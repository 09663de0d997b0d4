import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from localcloud.databricks.get_bodies import GetBodies


async def answer(request: Request) -> JSONResponse:
    return JSONResponse(dict(request.query_params))


APP = GetBodies(Starlette(routes=[Route("/runs/get", answer)]))


def get(path: str, body: bytes, kind: str = "application/json") -> dict[str, str]:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://workspace") as client:
            return await client.request("GET", path, content=body, headers={"content-type": kind})

    found: dict[str, str] = asyncio.run(ask()).json()
    return found


def test_a_body_counts_as_the_query() -> None:
    assert get("/runs/get", b'{"run_id": 7}') == {"run_id": "7"}
    assert get("/runs/get?page_token=a", b'{"run_id": 7}') == {"page_token": "a", "run_id": "7"}


@pytest.mark.parametrize(
    ("body", "kind"), [(b"[7]", "application/json"), (b"{", "application/json"), (b"7", "text/plain")]
)
def test_what_is_no_json_object_is_left_alone(body: bytes, kind: str) -> None:
    assert get("/runs/get?run_id=1", body, kind) == {"run_id": "1"}
