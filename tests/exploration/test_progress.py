"""Progress without a terminal: a line now and then, with what is left."""

import pytest

from dse.exploration import progress
from dse.exploration.progress import Progress


def test_a_short_search_writes_nothing(capsys):
    with Progress(100, label="exact", is_shown=True) as bar:
        bar.update(50)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("is_shown", "num_lines"), [(True, 1), (False, 0)])
def test_a_long_one_writes_lines_unless_it_is_quiet(capsys, monkeypatch, is_shown, num_lines):
    monkeypatch.setattr(progress, "FIRST_LINE_S", 0.0)
    with Progress(2_000, label="exact", is_shown=is_shown) as bar:
        bar.update(500)
        bar.update(500)  # too soon for another line
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == num_lines
    assert all(line.startswith("exact: 500 of 2,000 designs, 25 %, about") for line in lines)


@pytest.mark.parametrize(
    ("done", "elapsed_s", "left"),
    [(500, 10.0, "30 s"), (500, 100.0, "5 min"), (1, 10.0, "5.55 h"), (2_000, 9.0, "0 s")],
)
def test_what_is_left_is_in_proportion(done, elapsed_s, left):
    with Progress(2_000, label="ridge", is_shown=False) as bar:
        bar.update(done)
        assert bar.line(elapsed_s).endswith(f"about {left} left")
