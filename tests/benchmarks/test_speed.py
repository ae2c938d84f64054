"""Our own speed; run with `pytest tests/benchmarks --benchmark-enable`, without it only once each.

Nothing here asserts a time: machines differ. The ratios to other tools are in experiments/peers.
"""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import dse
from dse.hardware import Accelerator, Axis, Buffer
from dse.mapping.layer_on_array import LayerOnArray
from dse.mapping.question import Question
from dse.mapping.search.find import find
from dse.mapping.store import forget
from dse.workload import LOOPS, OPERANDS, Layer
from tests.oracle.cases import TECHNOLOGY

SIZES = {
    "gemm_512": {"oy": 512, "k": 512, "c": 512},
    "gemv_4096": {"k": 4096, "c": 4096},
    "alexnet_conv3": {"k": 192, "c": 192, "oy": 13, "ox": 13, "fy": 3, "fx": 3},
    "resnet50_res2_3x3": {"k": 64, "c": 64, "oy": 56, "ox": 56, "fy": 3, "fx": 3},
    "resnet50_res5_1x1": {"k": 512, "c": 2048, "oy": 7, "ox": 7},
    "vgg16_conv1_2": {"k": 64, "c": 64, "oy": 224, "ox": 224, "fy": 3, "fx": 3, "pad": 1},
    "resnet50_conv1": {"k": 64, "c": 3, "oy": 112, "ox": 112, "fy": 7, "fx": 7, "pad": 3},
    "depthwise": {"g": 32, "oy": 112, "ox": 112, "fy": 3, "fx": 3, "pad": 1},
    "gemm_4096_11008_4096": {"oy": 4096, "k": 11008, "c": 4096},
}


def layer_of(name: str) -> Layer:
    """Return a layer of `SIZES`, every operand one byte."""
    sizes = dict(SIZES[name])
    pad = sizes.pop("pad", 0)
    stride = 2 if name == "resnet50_conv1" else 1
    edge = {"iy": 224, "ix": 224} if stride == 2 else {}
    return Layer(
        name=name,
        **sizes,
        **edge,
        pad_y=pad,
        pad_x=pad,
        stride_y=stride,
        stride_x=stride,
        psum_bits=8,
    )


def any_loop(*, halo_is_kept: bool) -> Accelerator:
    """Return 16 by 16 MACs with any loop on either axis and one shared buffer."""
    return Accelerator(
        name="any",
        clock_hz=1e9,
        array=(Axis(size=16, dims=tuple((loop,) for loop in LOOPS)),) * 2,
        buffers=(Buffer(name="all", bytes=65536, holds=OPERANDS),),
        technology=TECHNOLOGY,
        dram_bytes_per_s=1e9,
        transfers="overlapped",
        halo_is_kept=halo_is_kept,
    )


@pytest.mark.parametrize("halo_is_kept", [True, False], ids=["kept", "again"])
@pytest.mark.parametrize("name", SIZES)
def test_one_mapping_table(benchmark, name, halo_is_kept):
    layer, chip = layer_of(name), any_loop(halo_is_kept=halo_is_kept)
    points = benchmark.pedantic(
        lambda: find(LayerOnArray(layer, chip), Question()), setup=forget, rounds=5
    )
    assert len(points) > 100


@pytest.mark.parametrize("designs", [10_000, 100_000])
def test_designs_that_are_looked_up(benchmark, designs):
    network, chip = dse.load_workload("alexnet"), dse.load_accelerator("flexible")
    rng = np.random.default_rng(0)
    columns = {
        "buffer_bytes": rng.integers(2**16, 2**22, designs),
        "dram_bytes_per_s": 10 ** rng.uniform(9, 11, designs),
    }
    frame = pd.DataFrame(columns)
    dse.evaluate_designs(network, chip, frame[:2])
    costs = benchmark(dse.evaluate_designs, network, chip, frame)
    assert len(costs) == designs


@pytest.mark.parametrize(
    "statement", ["import hydra, numpy", "import dse", "import dse.cli; dse.cli.main(['--help'])"]
)
def test_start(benchmark, statement):
    """Hydra and NumPy alone, and what the package adds to them, each in a process of its own."""
    command = [sys.executable, "-c", statement]
    benchmark(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
