"""Constants of process nodes and DRAM parts, each with its range and its source."""

from dse.technology.constants import Constant
from dse.technology.dram_parts import Catalogue, DramPart
from dse.technology.nodes import Technology

__all__ = ["Catalogue", "Constant", "DramPart", "Technology"]
