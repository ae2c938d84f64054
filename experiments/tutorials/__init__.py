"""Tutorials: notebooks with their outputs, run again by a test."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parent
NOTEBOOKS = tuple(sorted(FOLDER.glob("*.ipynb")))
SECONDS = 300
"""What a cell may take on a busy machine before it counts as hanging."""


def read(path: Path) -> NotebookNode:
    """Return a notebook as it is stored."""
    return nbformat.read(path, as_version=4)


def executed(path: Path) -> NotebookNode:
    """Return a notebook with the outputs of its cells run now, from the root of the project.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell raises an error.
    """
    notebook = read(path)
    root = str(FOLDER.parents[1])
    resources = {"metadata": {"path": root}}
    client = NotebookClient(
        notebook,
        timeout=SECONDS,
        resources=resources,
        record_timing=False,
        store_widget_state=False,
    )
    return client.execute(env={**os.environ, "PYTHONPATH": root})


def outputs(notebook: NotebookNode) -> list[str]:
    """Return what each cell with code has shown, as text."""
    return [
        "".join(x.get("text", "") or x.get("data", {}).get("text/plain", "") for x in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
