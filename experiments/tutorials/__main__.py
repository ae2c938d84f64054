"""Run every tutorial again and store what it shows: ``python -m experiments.tutorials``."""

import nbformat

from experiments.tutorials import NOTEBOOKS, executed


def main() -> None:
    """Run all, in the order of their names."""
    for path in NOTEBOOKS:
        notebook = executed(path)
        notebook.metadata = {"language_info": {"name": "python"}}
        for cell in notebook.cells:
            cell.metadata = {}
        nbformat.write(notebook, path)
        print(path.name)


if __name__ == "__main__":
    main()
