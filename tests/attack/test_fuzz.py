"""Whatever an input holds, it is run or refused in one line: no traceback, hang, leak or bomb."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from dse.cli import main
from tests.attack.fuzz import failures, run_as_program


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a search with every file."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    knobs = "space.knobs={array_rows:[8,16],buffer_bytes:[65536,131072]}"
    small = ["workload=tiny", knobs, "search.trials=4", "report=data"]
    assert main([*small, f"hydra.run.dir={folder}"]) == 0
    return folder


def test_some_inputs(finished):
    assert not list(failures(0, 30, finished))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_ten_thousand_inputs(finished, part):
    start, stop = 1000 * part, 1000 * (part + 1)
    with ThreadPoolExecutor(2) as pool:  # each waits for a process
        halves = [pool.submit(lambda x=x: list(failures(x, stop, finished, step=2)))
                  for x in (start, start + 1)]  # fmt: skip
    assert not [failure for half in halves for failure in half.result()]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_inputs_of_the_program(finished, tmp_path, monkeypatch, part):
    wrong = []
    for number in range(20_000 + part, 20_300 + part, 5):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        found = run_as_program(number, finished)
        if found[1]:
            wrong.append((number, *found))
    assert not wrong
