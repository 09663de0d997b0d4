"""What every payload has in common."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]
Texts = dict[str, Text]
Id = Annotated[int, Field(ge=0, lt=2**63)]
Seconds = Annotated[int, Field(ge=0, lt=2**31)]


class Payload(BaseModel):
    """Base: unknown fields are kept and echoed, since most of them (tags, notifications …) change nothing here."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    def as_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)

    def refuse(self, unsupported: set[str], instead: str) -> None:
        """Refuses what was given and can't be done here."""
        given = [name for name, value in (self.model_extra or {}).items() if value and name in unsupported]
        if given:
            raise ValueError(f"{given[0]} can't be used locally: {instead}")
