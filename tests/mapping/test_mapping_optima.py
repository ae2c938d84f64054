"""Optima that other tools and our own exhaustive search found (tests/data/mapping_optima.csv)."""

import csv
from pathlib import Path

import pytest

from dse.hardware import Accelerator, Axis, Buffer
from dse.mapping.table import mapping_table
from dse.workload import LOOPS, OPERANDS, Layer
from tests.oracle.cases import TECHNOLOGY

PUBLISHED = Path(__file__).parents[1] / "data" / "mapping_optima.csv"


def published() -> list[dict[str, str]]:
    """Return the rows of the published table."""
    with PUBLISHED.open(newline="") as lines:
        return list(csv.DictReader(lines))


def layer_of(row: dict[str, str]) -> Layer:
    """Return the layer of a row: every operand and the partial sums take one byte."""
    bounds = {loop: int(row[loop]) for loop in LOOPS}
    stride = int(row["stride"])
    return Layer(name=row["problem"], **bounds, stride_y=stride, stride_x=stride, psum_bits=8)


def chip_of(row: dict[str, str]) -> Accelerator:
    """Return the machine of a row: 16x16 MACs, any loop on either axis, one buffer, no fill."""
    return Accelerator(
        name="optima",
        clock_hz=1e9,
        array=(Axis(size=16, dims=tuple((loop,) for loop in LOOPS)),) * 2,
        buffers=(Buffer(name="all", bytes=1024 * int(row["buffer_kib"]), holds=OPERANDS),),
        technology=TECHNOLOGY,
        dram_bytes_per_s=1e9,
        transfers="overlapped",
        halo_is_kept=row["halo_is_kept"] == "true",
    )


@pytest.mark.parametrize(
    "row", published(), ids=lambda row: f"{row['problem']}-{row['buffer_kib']}"
)
def test_published_optimum(row: dict[str, str]) -> None:
    layer, chip = layer_of(row), chip_of(row)
    table, bits = mapping_table(layer, chip), 8 * int(row["dram_elements"])
    assert sum(table.best("dram_bytes", chip).dram_bits_by_operand.values()) == bits
    fits = table.footprint_bits[:, 0] <= chip.usable_buffer_bits[0]
    assert table.dram_bits[fits].min() == bits
    if row["compute_cycles_at_that_traffic"]:
        cycles = int(row["compute_cycles_at_that_traffic"])
        assert table.compute_cycles[fits & (table.dram_bits == bits)].min() == cycles
