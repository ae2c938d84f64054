"""The notebooks run, and show what is stored."""

from pathlib import Path

import pytest

from experiments.tutorials import NOTEBOOKS, executed, outputs, read

RENEW = "renew with: python -m experiments.tutorials"


def test_there_are_two_and_their_outputs_are_short() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["architects_choice", "comparison_of_dataflows"]
    for path in NOTEBOOKS:
        shown = outputs(read(path))
        assert any(shown), RENEW
        assert all(len(text.splitlines()) <= 30 for text in shown)
        assert path.stat().st_size < 20_000


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the kernel's own libraries
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_stored(path: Path) -> None:
    assert outputs(executed(path)) == outputs(read(path)), RENEW
