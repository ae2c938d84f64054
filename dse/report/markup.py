"""Pieces of HTML: every text is escaped here, and nowhere else."""

import html
import re
from collections.abc import Iterable, Sequence

from dse.plots.style import DARK

_XML_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\n *<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*"')
_HEIGHT = re.compile(r'(<svg[^>]*?) height="[^"]*"')
_NAMES = (' id="', 'href="#', "url(#")
"""What the name of an element follows, where it is given and where it is used."""


def escape(text: object) -> str:
    """Return a text that no browser takes for markup."""
    return html.escape(str(text), quote=True)


def paragraph(text: str, kind: str = "") -> str:
    """Return an escaped paragraph, of a CSS class if one is given."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def bullets(lines: Iterable[str]) -> str:
    """Return an escaped list; nothing where there are no lines."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def section(name: str, heading: str, *parts: str) -> str:
    """Return a section with its heading, or nothing where it has no content."""
    content = "\n".join(part for part in parts if part)
    if not content:
        return ""
    start = f'<section id="{escape(name)}" aria-labelledby="{escape(name)}-heading">'
    return f'{start}\n<h2 id="{escape(name)}-heading">{escape(heading)}</h2>\n{content}\n</section>'


def table(
    caption: str,
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    text_columns: Sequence[int] = (0,),
) -> str:
    """Return a table whose rows start with their heading; numbers are right-aligned.

    Parameters
    ----------
    text_columns
        Places of the columns that hold text.
    """
    kinds = ["text" if place in text_columns else "number" for place in range(len(header))]
    heads = "".join(
        f'<th scope="col" class="{kind}">{escape(text)}</th>'
        for kind, text in zip(kinds, header, strict=True)
    )
    body = "".join(_row(row, kinds) for row in rows)
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: Sequence[object], kinds: Sequence[str]) -> str:
    first = f'<th scope="row" class="{kinds[0]}">{escape(row[0])}</th>'
    rest = "".join(
        f'<td class="{kind}">{escape(value)}</td>'
        for value, kind in zip(row[1:], kinds[1:], strict=True)
    )
    return f"<tr>{first}{rest}</tr>\n"


def details(summary: str, content: str) -> str:
    """Return content that is folded away until asked for."""
    return f"<details><summary>{escape(summary)}</summary>\n{content}\n</details>"


def figure(name: str, svg: str, description: str) -> str:
    """Return a plot in the page's own light or dark inks.

    Parameters
    ----------
    name
        Unique on the page; the ids in the picture are prefixed with it.
    svg
        A file that `dse.plots` wrote.
    description
        What a reader who cannot see the plot is told.
    """
    svg = _METADATA.sub("", _XML_HEAD.sub("", svg))
    svg = _HEIGHT.sub(r"\1", _SIZE.sub(r"\1", svg))
    for before in _NAMES:
        svg = svg.replace(before, f"{before}{name}-")
    for light in DARK:
        svg = svg.replace(light, f"var({_variable(light)})")
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1)
    return f'<figure class="plot">{svg}</figure>'


def inks(*, is_dark: bool) -> str:
    """Return the CSS variables that the plots' colours became."""
    return "".join(f"{_variable(k)}:{v if is_dark else k};" for k, v in sorted(DARK.items()))


def _variable(colour: str) -> str:
    return f"--ink-{colour.lstrip('#')}"
