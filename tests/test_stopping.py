"""A signal ends a run that is in compiled code, in the main thread and in a pool of threads."""

import signal
import subprocess
import sys
import time
from random import Random

import numpy as np
import pytest

from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.nest.dominance import first_undominated
from dse.mapping.question import Question
from dse.mapping.search.find import find
from dse.stopping import Stopped, stop_flag, workers
from tests.oracle.cases import random_chip, random_layer

LONG = """
import sys
import numpy as np
from dse.compiling import jit
from dse import Layer, load_accelerator, mapping_table
from dse.mapping.nest.dominance import first_undominated
from dse.stopping import Stopped, ended_by_signals, workers

chip = load_accelerator("tpu_v1")
mapping_table(Layer(name="short", k=3, c=3), chip)  # so that the kernels are compiled
first_undominated(np.zeros((2, 2), dtype=np.int64))
layer = Layer(name="long", k=1000, c=1000, oy=28, ox=28, fy=3, fx=3)
rising = np.arange(10**6)
points = np.stack([rising, rising[::-1]], axis=1)
@jit(cache=False)
def count(numbers):  # sees no flag
    while numbers[0] >= 0:
        numbers[0] = (numbers[0] + 1) % 7

count(np.full(1, -1))
work = {
    "count": lambda: count(np.zeros(1, dtype=np.int64)),
    "search": lambda: mapping_table(layer, chip),
    "thin": lambda: first_undominated(points),
}
try:
    with ended_by_signals():
        print("ready", flush=True)
        if sys.argv[1] == "pool":
            with workers() as pool:
                pool.submit(work[sys.argv[2]]).result()
        else:
            work[sys.argv[2]]()
except Stopped as error:
    sys.exit(error.status - 60)  # not what the watching thread would end with
"""


def ended(number: signal.Signals, *arguments: str) -> int:
    """Return the status of a long computation that a signal reaches after a second."""
    run = subprocess.Popen(
        [sys.executable, "-c", LONG, *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        time.sleep(1)
        run.send_signal(number)
        return run.wait(timeout=30)  # of minutes that it would take
    finally:
        run.kill()
        run.wait()
        run.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["main", "pool"])
@pytest.mark.parametrize("work", ["search", "thin"])
def test_signals_end_compiled_code(where: str, work: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        assert ended(number, where, work) == 128 + number - 60


@pytest.mark.slow
def test_a_signal_ends_code_that_does_not_look() -> None:
    assert ended(signal.SIGTERM, "main", "count") == 143
    assert ended(signal.SIGINT, "pool", "count") == 130


def test_a_search_stops_when_its_flag_is_set() -> None:
    layer, chip = random_layer(Random(3)), random_chip(Random(3))
    find(LayerOnArray(layer, chip), Question())
    stop_flag()[0] = 1
    try:
        with pytest.raises(Stopped):
            find(LayerOnArray(layer, chip), Question())
        with pytest.raises(Stopped):
            first_undominated(np.zeros((3, 1), dtype=np.int64))
    finally:
        stop_flag()[0] = 0


def test_an_exception_stops_the_threads_of_its_pool_only() -> None:
    flags = []

    def failing() -> None:
        with workers() as pool:
            flags.append(pool.submit(stop_flag).result())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert flags[0] is not stop_flag()
    assert flags[0][0] == 1
    assert stop_flag()[0] == 0
