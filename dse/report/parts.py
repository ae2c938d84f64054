"""What a page is made of; templates/parts.html.j2 writes each part as HTML, escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Part:
    """A piece of a page; `macro` names what writes it."""

    macro: ClassVar[str]


@dataclass(frozen=True)
class Paragraph(Part):
    """A paragraph, of a CSS class if one is given."""

    macro: ClassVar[str] = "paragraph"
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Code(Part):
    """A command to copy."""

    macro: ClassVar[str] = "code"
    text: str


@dataclass(frozen=True)
class Bullets(Part):
    """A list, under a warning's heading if one is given."""

    macro: ClassVar[str] = "bullets"
    lines: Sequence[str]
    warning: str = ""


@dataclass(frozen=True)
class Table(Part):
    """A table whose rows start with their heading; numbers are right-aligned.

    Attributes
    ----------
    text_columns
        Places of the columns that hold text.
    """

    macro: ClassVar[str] = "table"
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    text_columns: Sequence[int] = (0,)


@dataclass(frozen=True)
class Details(Part):
    """A table that is folded away until asked for."""

    macro: ClassVar[str] = "details"
    summary: str
    table: Table


@dataclass(frozen=True)
class Picture(Part):
    """A plot: SVG of `dse.report.pictures`, which is markup already."""

    macro: ClassVar[str] = "picture"
    svg: Markup


@dataclass(frozen=True)
class Explorer(Part):
    """The interactive plot: its figure as JSON, and what a reader without it is told."""

    macro: ClassVar[str] = "explorer"
    figure: Markup
    description: str


@dataclass(frozen=True)
class Section:
    """A section with its heading; one without parts is left out."""

    name: str
    heading: str
    parts: tuple[Part, ...]


def section(name: str, heading: str, *parts: Part | None) -> Section:
    """Return a section of the parts that there are."""
    return Section(name, heading, tuple(part for part in parts if part is not None))
