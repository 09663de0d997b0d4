"""What a reader sees of a page."""

from html.parser import HTMLParser

_UNSEEN = {"style", "svg", "title"}


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._hidden += tag in _UNSEEN

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in _UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words += data.split()


def text_of(html: str) -> str:
    """The page's words, with one space between them."""
    parser = _Words()
    parser.feed(html)
    return " ".join(parser.words)
