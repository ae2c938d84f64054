"""SVG files of plots, made small and fit for a page: its inks, ids of their own."""

import re

from markupsafe import Markup, escape

from dse.plots.style import DARK

_OUTSIDE = re.compile(r"^.*?(?=<svg)|\n *<metadata>.*?</metadata>|<!--.*?-->", re.DOTALL)
_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*"')
_HEIGHT = re.compile(r'(<svg[^>]*?) height="[^"]*"')
_NAMES = (' id="', 'href="#', "url(#")
"""What the name of an element follows, where it is given and where it is used."""

_DECIMALS = re.compile(r"scale\([^)]*\)|\d+\.\d{3,}")
"""Factors, which keep every digit, and numbers that need two decimals only."""

_GROUP = re.compile(r' id="(?:figure|axes|patch|line2d|matplotlib\.axis|xtick|ytick|text|legend|'
                    r'PathCollection|FillBetweenPolyCollection)_?\d+"')  # fmt: skip
_SPACE = re.compile(r"\s*\n\s*")
_BETWEEN = re.compile(r"> <")
_PATH = re.compile(r' d="[^"]*"')
_STEP = re.compile(r" ?([MLQCz]) ?")


def picture(name: str, svg: str, description: str) -> Markup:
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
    svg = _HEIGHT.sub(r"\1", _SIZE.sub(r"\1", _compact(svg)))
    for before in _NAMES:
        svg = svg.replace(before, f"{before}{name}-")
    for light in DARK:
        svg = svg.replace(light, f"var({_variable(light)})")
    return Markup(svg.replace("<svg", f'<svg role="img" aria-label="{escape(description)}"', 1))


def _compact(svg: str) -> str:
    """Return a picture that looks the same in fewer bytes: two decimals, no unused names."""
    svg = _GROUP.sub("", _OUTSIDE.sub("", svg))
    svg = _DECIMALS.sub(_rounded, svg)
    svg = _BETWEEN.sub("><", _SPACE.sub(" ", svg))
    svg = _PATH.sub(lambda found: _STEP.sub(r"\1", found[0]), svg)
    return svg.replace("xlink:href", "href").replace("DejaVuSans-", "g")


def _rounded(found: re.Match[str]) -> str:
    text = found[0]
    return text if text.startswith("scale") else f"{float(text):.2f}".rstrip("0").rstrip(".")


def inks(*, is_dark: bool) -> Markup:
    """Return the CSS variables that the plots' colours became."""
    values = (f"{_variable(k)}:{v if is_dark else k};" for k, v in sorted(DARK.items()))
    return Markup("".join(values))


def _variable(colour: str) -> str:
    return f"--ink-{colour.lstrip('#')}"
