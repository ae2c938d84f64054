"""The question that every program is asked: its problems, and their buffer sizes.

16 x 16 MACs, any loop on either axis, one shared buffer, all operands and partial sums one byte,
computation and transfers overlapped, no fill: the least DRAM traffic, and the least cycles.
The problems are those of tests/data/mapping_optima.csv.
"""

from typing import Any

LOOPS = ("b", "g", "k", "c", "oy", "ox", "fy", "fx")

PROBLEMS: dict[str, dict[str, int]] = {
    "gemm_512": {"k": 512, "c": 512, "oy": 512},
    "gemv_4096": {"k": 4096, "c": 4096},
    "alexnet_one_tower_conv3_192": {"k": 192, "c": 192, "oy": 13, "ox": 13, "fy": 3, "fx": 3},
    "resnet50_res2_3x3": {"k": 64, "c": 64, "oy": 56, "ox": 56, "fy": 3, "fx": 3},
    "resnet50_res5_1x1": {"k": 512, "c": 2048, "oy": 7, "ox": 7},
}
"""Bounds of the loops that are above 1; stride 1, and an input without padding."""

TITLES = {
    "gemm_512": "Matrix product\n512 x 512 x 512",
    "gemv_4096": "Matrix x vector\n4096 x 4096",
    "alexnet_one_tower_conv3_192": "AlexNet conv3, 3 x 3\n192 → 192, 13 x 13",
    "resnet50_res2_3x3": "ResNet-50 res2, 3 x 3\n64 → 64, 56 x 56",
    "resnet50_res5_1x1": "ResNet-50 res5, 1 x 1\n2048 → 512, 7 x 7",
}

BUFFERS_KIB = (16, 64, 256, 1024)
AXIS_SIZES = (16, 16)
BITS = {"input": 8, "weight": 8, "output": 8, "psum": 8}


def bounds(problem: str) -> dict[str, int]:
    """Return the bounds of all eight loops of a problem."""
    return dict.fromkeys(LOOPS, 1) | PROBLEMS[problem]


def has_filter(problem: str) -> bool:
    """Whether a problem is a convolution with a filter of more than one element."""
    return bounds(problem)["fy"] * bounds(problem)["fx"] > 1


def question(problem: str, buffer_kib: int) -> dict[str, Any]:
    """Return what a peer is asked, as it is sent to it."""
    return {
        "problem": problem,
        "bounds": bounds(problem),
        "buffer_bits": 8192 * buffer_kib,
        "axis_sizes": list(AXIS_SIZES),
        "bits": BITS,
    }


def differences(asked: dict[str, Any], understood: dict[str, Any]) -> list[str]:
    """List what a peer says it was asked other than the question, one line for each key."""
    return [
        f"{key}: asked {value!r}, the peer has {understood.get(key)!r}"
        for key, value in asked.items()
        if understood.get(key) != value
    ]
