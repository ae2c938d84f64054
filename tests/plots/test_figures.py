"""The figures draw without a warning, say their units, stay in their frame, and never change."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from dse.plots import (
    Roof,
    bandwidth_figure,
    networks_roofline_figure,
    pareto_figure,
    predicted_figure,
    roofline_figure,
    save,
    sum_of_curves,
    traffic_figure,
    traffic_table,
)
from dse.plots.causes import CAUSES, _finding, cause_shares, causes_figure
from dse.plots.convergence import convergence_figure
from dse.plots.layers import longest_first, short_names, together
from dse.plots.roofline import _with_rate
from dse.plots.style import RAMP, SERIES, plain
from dse.report.evidence import _main_loss
from tests import example_run

ROOF = Roof(peak_macs_per_s=1.024e12, dram_bytes_per_s=12.8e9, dram_efficiency=0.75)
NASTY = "<script>alert('$x_1$ & 50 %')</script>_\u5c64\n$"
UNIT = re.compile(r"\((?:[a-zµA-Z]*(?:B/s|B|s|mm²|inferences/s|inferences|%|count|bytes|MAC/s|USD|J"
                  r"|W|MACs per DRAM byte))\)|Share of")  # fmt: skip


@pytest.fixture(scope="module")
def designs():
    return example_run.designs()


@pytest.fixture(scope="module")
def front(designs):
    return example_run.front(designs)


@pytest.fixture(scope="module")
def layers():
    return example_run.layers()


def front_figure(designs, front, *, objectives=example_run.OBJECTIVES, budget=None):
    pick = None if front.empty else front.iloc[len(front) // 2].to_dict()
    others = [front.iloc[i].to_dict() for i in range(min(2, len(front)))]
    return pareto_figure(
        designs, front, objectives=objectives, pick=pick, runners_up=others, workload="resnet50",
        budget=example_run.BUDGET if budget is None else budget,
    )  # fmt: skip


def many(layers, count):
    rows = pd.concat([layers] * (count // len(layers) + 1), ignore_index=True).iloc[:count]
    scale = 1 + np.arange(count) / count
    times = [name for name in rows if name.startswith("time_") or name == "latency_s"]
    names = [f"{NASTY if i % 2 else 'block'}.{i}" for i in range(count)]
    return rows.assign(name=names, **{name: rows[name] * scale for name in times})


def draw(figure: Figure) -> Figure:
    figure.canvas.draw()
    return figure


def assert_units(figure):
    for ax in figure.axes:
        for label in (ax.get_xlabel(), ax.get_ylabel()):
            if label:
                assert UNIT.search(label), label
        if ax.get_xscale() == "log":
            assert len(ax.get_xticks()) >= 2


def assert_texts_apart(figure):
    """No label on another, and none outside the figure."""
    draw(figure)
    renderer = figure.canvas.get_renderer()
    for ax in figure.axes:
        notes = [t for t in ax.texts if isinstance(t, Annotation) and t.arrow_patch is not None]
        boxes = [Text.get_window_extent(note, renderer) for note in notes]
        assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    width, height = figure.canvas.get_width_height()
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent(renderer)
            assert box.x0 >= -1
            assert box.x1 <= width + 1
            assert box.y0 >= -1
            assert box.y1 <= height + 1


@pytest.mark.parametrize(
    "objectives",
    [
        ("throughput_per_s", "area_mm2"),
        ("throughput_per_s", "area_mm2", "dram_bytes_per_s"),
        ("throughput_per_s", "area_mm2", "dram_bytes_per_inference"),
        ("throughput_per_s", "area_mm2", "dram_bytes_per_s", "energy_pj_per_inference"),
        ("latency_s", "power_w", "cost_usd"),
    ],
)
def test_front_of_two_to_four_objectives(designs, front, objectives):
    figure = front_figure(designs, front, objectives=objectives)
    assert_units(draw(figure))
    assert_texts_apart(figure)
    assert len(figure.axes) == (2 if len(objectives) == 4 else 1)


def test_front_marks_the_infeasible_region(designs, front):
    figure = front_figure(designs, front)
    hatched = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    assert len(hatched) == 2
    assert hatched[0].get_x() == pytest.approx(8.0)


def test_a_budget_that_nothing_in_view_meets_hatches_everything(designs, front):
    figure = front_figure(designs, front.iloc[:0], budget={"throughput_per_s": 1e6})
    (hatched,) = [patch for patch in figure.axes[0].patches if patch.get_hatch()]
    assert (hatched.get_y(), hatched.get_y() + hatched.get_height()) == pytest.approx(
        figure.axes[0].get_ylim()
    )


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_front_with_few_or_no_designs(designs, front, rows):
    assert_units(draw(front_figure(designs, front.iloc[:rows])))
    one = designs.iloc[[0]]
    assert_units(draw(front_figure(one, one.drop(columns="feasible"))))


def test_front_where_nothing_can_be_costed(designs, front):
    unmapped = designs.assign(throughput_per_s=0.0, latency_s=np.inf, feasible=False)
    draw(front_figure(unmapped, front.iloc[:0]))
    assert "no design meets every budget" in front_figure(
        designs.assign(feasible=False), front.iloc[:0]
    ).texts[0].get_text()  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 54, 200])
def test_layer_figures_for_any_number_of_layers(layers, count):
    rows = many(layers, count)
    figures = [
        roofline_figure(rows, ROOF, workload=NASTY, machine=NASTY),
        causes_figure(rows, workload=NASTY, machine=NASTY),
    ]
    for figure in figures:
        assert_units(draw(figure))
        assert_texts_apart(figure)


def test_layers_without_time_macs_or_traffic(layers):
    still = layers.copy()
    still[[c for c in still if c.startswith("time_")] + ["latency_s", "macs", "dram_bytes"]] = 0
    for rows in (still, still.iloc[:1], layers[layers["macs"] == 0]):
        draw(roofline_figure(rows, ROOF, workload="net", machine="chip"))
        draw(causes_figure(rows, workload="net", machine="chip"))
    free = layers.assign(dram_bytes=0.0, operational_intensity=np.inf)
    draw(roofline_figure(free, ROOF, workload="net", machine="chip"))


def test_layers_added_together_keep_every_second(layers):
    alike = together(layers)
    assert alike["num_layers"].sum() == len(layers)
    for table in (alike, longest_first(alike, 10)):
        assert table["latency_s"].sum() == pytest.approx(layers["latency_s"].sum())
        assert sum(table[cause].sum() for cause in CAUSES) == pytest.approx(
            layers["latency_s"].sum()
        )
    assert sum(cause_shares(layers).values()) == pytest.approx(1)
    assert len(longest_first(alike, 10)) == 10


@pytest.mark.parametrize("buffer_bytes", [1, 4096, 524288, 2**30])
@pytest.mark.parametrize("names", [(), ("conv1", NASTY, "c", "d", "e")])
def test_traffic_for_any_buffer(buffer_bytes, names):
    figure = traffic_figure(
        example_run.traffic(names), buffer_bytes=buffer_bytes, workload="resnet50"
    )
    assert_units(draw(figure))
    assert_texts_apart(figure)


def test_traffic_of_one_point_or_none():
    curve = example_run.traffic(())
    for rows in (curve.iloc[:1], curve.iloc[:0]):
        draw(traffic_figure(rows, buffer_bytes=4096, workload="net"))


def test_curves_add_up_from_the_size_at_which_all_fit():
    first = pd.DataFrame({"buffer_bytes": [10, 20], "dram_bytes": [100.0, 50.0]})
    second = pd.DataFrame({"buffer_bytes": [15, 30], "dram_bytes": [7.0, 5.0]})
    added = sum_of_curves({"a": first, "b": second}, {"b": 2})
    assert added.to_dict("list") == {
        "buffer_bytes": [15.0, 20.0, 30.0], "dram_bytes": [114.0, 64.0, 60.0],
    }  # fmt: skip


def test_rows_of_traffic_are_the_network_then_its_largest_layers():
    small = pd.DataFrame({"buffer_bytes": [10, 20], "dram_bytes": [9.0, 5.0]})
    large = pd.DataFrame({"buffer_bytes": [15], "dram_bytes": [7.0]})
    rows = traffic_table({"a": small, "b": large}, {"b": 2}, buffer_bytes=16, num_layers=1)
    assert rows["layer"].tolist() == ["", "", "b"]
    assert rows["dram_bytes"].tolist() == [23.0, 19.0, 14.0]


def test_a_long_curve_is_thinned_to_points_that_are_on_it():
    sizes = np.arange(1000, 60000, 7.0)
    curve = pd.DataFrame({"buffer_bytes": sizes, "dram_bytes": 1e9 / sizes})
    thin = sum_of_curves({"a": curve})
    assert len(thin) <= 401
    assert thin["dram_bytes"].to_numpy() == pytest.approx(1e9 / thin["buffer_bytes"])
    assert thin["buffer_bytes"].iloc[[0, -1]].tolist() == [sizes[0], sizes[-1]]


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_convergence(rows):
    figure = convergence_figure(example_run.history().iloc[:rows], sampler=NASTY)
    assert_units(draw(figure))


def test_figures_of_experiments():
    rows = pd.DataFrame({"label": [NASTY, "b", "c"], "series": ["x", "y", "x"],
                         "published": [1e-3, 2e-3, 5e-3],
                         "predicted": [1.1e-3, 2e-3, 4.9e-3]})  # fmt: skip
    lines = pd.DataFrame({"series": ["a"] * 3 + ["b"] * 3, "batch": [1, 8, 64] * 2,
                          "dram_bytes_per_s": [128e9, 16e9, 2e9] * 2})  # fmt: skip
    networks = pd.DataFrame({"name": [NASTY, "b"], "operational_intensity": [36.0, 0.5],
                             "macs_per_s": [60e9, 2e9],
                             "published_macs_per_s": [61e9, np.nan]})  # fmt: skip
    for figure in (
        predicted_figure(rows, name="latency_s", finding=NASTY),
        predicted_figure(rows.iloc[:0], name="latency_s", finding="nothing"),
        bandwidth_figure(lines, finding="halves", roof_bytes_per_s=4.2e9),
        networks_roofline_figure(networks, ROOF, finding="under the roof"),
    ):
        assert_units(draw(figure))


def test_saved_picture_has_200_dots_per_inch(layers, tmp_path):
    png, svg = save(roofline_figure(layers, ROOF, workload="n", machine="m"), tmp_path / "r")
    width = int.from_bytes(png.read_bytes()[16:20], "big")
    assert width == 1600
    assert svg.read_text(encoding="utf-8").startswith("<?xml")


def test_long_names_that_differ_stay_different():
    names = [
        f"/model.22/cv{i}.{j}/cv{i}.{j}.0/conv/Conv +1 alike" for i in (2, 3) for j in range(3)
    ]
    short = short_names(names, 30)
    assert len(set(short)) == len(names)
    assert max(map(len, short)) <= 30
    assert short_names(["conv1", "conv2"], 30) == ["conv1", "conv2"]
    assert short_names(["x" * 50, "x" * 50], 20) == [plain("x" * 50, 20)] * 2


def test_roofline_has_its_words_below_the_axes(layers):
    figure = draw(roofline_figure(layers, ROOF, workload="net", machine="chip"))
    (ax,), (legend,) = figure.axes, figure.legends
    assert legend.get_window_extent().y1 <= ax.get_window_extent().y0
    assert [text.get_text() for text in legend.get_texts()][:2] == [
        "1.02 TMAC/s, 9.6 GB/s from DRAM", "DRAM at its peak, 12.8 GB/s"
    ]  # fmt: skip


def test_text_of_a_user_is_one_drawable_line():
    assert plain(NASTY) == "<script>alert('$x_1$ & 50 %')</script>_? $"
    assert len(plain("x" * 500, 20)) == 20


def lightness(colour):
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_levels_are_told_apart_in_grey():
    steps = [lightness(colour) for colour in RAMP]
    assert all(a > 1.15 * b for a, b in itertools.pairwise(steps))
    assert len(set(SERIES)) == len(SERIES)


def test_a_machine_that_skips_padding_is_not_above_its_roof() -> None:
    row = {"name": "conv", "op": "mac", "bound": "compute", "macs": 120.0, "latency_s": 1.0,
           "dram_bytes": 1.0, "operational_intensity": 120.0, "time_mac_s": 1.0}  # fmt: skip
    roof = Roof(peak_macs_per_s=100.0, dram_bytes_per_s=10.0, dram_efficiency=1.0)
    shown = _with_rate(pd.DataFrame([row]), roof)
    assert shown["macs_per_s"].tolist() == [100.0]
    assert shown["operational_intensity"].tolist() == [100.0]


def test_causes_that_a_transfer_hides_are_not_called_the_largest_loss() -> None:
    causes = dict.fromkeys(CAUSES, 0.0) | {"time_mac_s": 1.0, "time_edge_s": 5.0}
    layer = {"name": "fc", "latency_s": 10.0, "time_compulsory_s": 4.0, "bound": "memory"}
    layers = pd.DataFrame([causes | layer | {"macs": 1, "dram_bytes": 1.0, "num_layers": 1}])
    text = _finding(layers, "net", "chip")
    assert "idle" not in text
    assert "DRAM transfer alone takes all the time of layers with 100 %" in text
    assert "idle part of the array (50 %)" in _finding(
        layers.assign(bound="compute"), "net", "chip"
    )
    assert _main_loss(layers.iloc[0].to_dict()) == "DRAM transfer (100 %)"
