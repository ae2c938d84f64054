"""Plots: DataFrames in, matplotlib figures out; read `files` for what a run gets."""

from dse.plots.experiments import bandwidth_figure, networks_roofline_figure, predicted_figure
from dse.plots.files import ChipData, StudyData, write_plots
from dse.plots.front import pareto_figure
from dse.plots.roofline import Roof, roofline_figure
from dse.plots.style import save
from dse.plots.traffic import sum_of_curves, traffic_figure, traffic_table

__all__ = [
    "ChipData",
    "Roof",
    "StudyData",
    "bandwidth_figure",
    "networks_roofline_figure",
    "pareto_figure",
    "predicted_figure",
    "roofline_figure",
    "save",
    "sum_of_curves",
    "traffic_figure",
    "traffic_table",
    "write_plots",
]
