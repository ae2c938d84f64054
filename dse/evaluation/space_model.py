"""The cost model of a design space: one object that can be sent to other processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from dse.arrays import FloatArray
from dse.cost.time import DEFAULT_SLACK
from dse.errors import DseError
from dse.evaluation.design_columns import Columns
from dse.evaluation.model import chip_costs, design_costs
from dse.evaluation.points_of_space import operating_points_of
from dse.evaluation.time_grid import TimeGrid, time_grid
from dse.mapping.operating_points import OperatingPoints
from dse.network.resident import kept_whole
from dse.shown import short_repr
from dse.space import Space
from dse.workload import Workload


@dataclass(frozen=True, kw_only=True)
class SpaceModel:
    """What the designs of a space cost when they run a network.

    Attributes
    ----------
    network
        What runs; a knob ``batch`` sets its batch.
    space
        The accelerator and its knobs.
    objective
        What each layer's mapping minimises: latency_s, dram_bytes, energy_pj or edp.
    slack
        Share of the least latency that a mapping may lose to move fewer bits.

    Examples
    --------
    >>> import dse
    >>> model = SpaceModel(network=dse.load_workload("tiny"), space=dse.load_space("edge"))
    >>> costs = model.costs(model.space.columns([0, 1]))
    >>> costs["latency_s"].shape, model.has_time_grid
    ((2,), True)
    """

    network: Workload
    space: Space
    objective: str = "latency_s"
    slack: float = DEFAULT_SLACK

    __repr__ = short_repr

    @property
    def has_time_grid(self) -> bool:
        """Whether `time_grid` applies: one buffer, no schedule, the least time of each layer.

        Nor does it where the DRAM does not carry all: room then bounds more than tiles.
        """
        return self._points is not None and not kept_whole(self.space.accelerator)

    @cached_property
    def _points(self) -> OperatingPoints | None:
        """The operating points of all designs, for which mappings are found together."""
        if self.space.accelerator.between_layers != "none":
            return None
        return operating_points_of(self.space, self.objective, self.slack)

    def costs(self, columns: Columns) -> dict[str, FloatArray]:
        """Cost designs in one call.

        Parameters
        ----------
        columns : name to array of shape (designs,)
            Values of knobs, or of other parameters of the accelerator.

        Returns
        -------
        Name to array of shape (designs,), as of `dse.evaluation.model.design_costs`.

        Raises
        ------
        DseError
            If a column is not a parameter, or a value is out of range.
        """
        return design_costs(
            self.network,
            self.space.accelerator,
            columns,
            catalogue=self.space.catalogue,
            objective=self.objective,
            slack=self.slack,
            points=self._points,
        )

    def chip_costs(self, columns: Columns) -> dict[str, FloatArray]:
        """Return the costs of designs that do not depend on what runs; see `costs`."""
        space = self.space
        return chip_costs(self.network, space.accelerator, columns, catalogue=space.catalogue)

    def time_grid(self, values: Mapping[str, Any], lines: Mapping[str, NDArray[Any]]) -> TimeGrid:
        """Return the time for every buffer size and DRAM rate of one array.

        Parameters
        ----------
        values, lines
            As for `dse.evaluation.time_grid.time_grid`.

        Raises
        ------
        DseError
            If it does not apply, or a size or rate is not of the space.
        """
        if self._points is None or not self.has_time_grid:
            raise DseError(f"space {self.space.name!r} has no time grid: see has_time_grid")
        return time_grid(
            self.network,
            self.space.accelerator,
            values,
            lines,
            points=self._points,
            catalogue=self.space.catalogue,
        )
