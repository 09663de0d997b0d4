"""Names and texts as SQL has them."""

from collections.abc import Mapping


def quoted(*path: str) -> str:
    """A column's name, or the path of a field within."""
    return ".".join(f"`{name.replace('`', '``')}`" for name in path)


def literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def listed(properties: Mapping[str, str]) -> str:
    """What stands within the brackets of TBLPROPERTIES."""
    return ", ".join(f"{literal(key)} = {literal(value)}" for key, value in properties.items())
