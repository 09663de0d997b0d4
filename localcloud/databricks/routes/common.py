"""What the route files share."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, BeforeValidator, Field

from localcloud.databricks.workspace import Workspace


def _workspace(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


Current = Annotated[Workspace, Depends(_workspace)]
AnId = Annotated[int, Field(ge=0, lt=2**63)]
PageToken = Annotated[int, Field(ge=0, lt=2**31), BeforeValidator(lambda token: token or 0)]
"""The number of rows that came before; an empty token is the first page's."""


class Paged(BaseModel):
    """Where a list goes on; older clients say it by `offset` instead of the token."""

    page_token: PageToken = 0
    offset: PageToken = 0

    @property
    def first(self) -> int:
        return self.page_token or self.offset


Item = TypeVar("Item")


def page(found: Sequence[Item], first: int, size: int) -> tuple[Sequence[Item], dict[str, str]]:
    """What belongs on a page, and the token of the next where there is more.

    Args:
        found: What was found from the page's first row on.
        first: How many rows came before.
        size: How many belong on the page.
    """
    return found[:size], {"next_page_token": str(first + size)} if len(found) > size else {}
