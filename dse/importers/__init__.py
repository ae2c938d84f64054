"""Networks from elsewhere, as the plain values of a conf/workload YAML and a report of coverage.

Nothing here imports onnx or torch before a file is read.
"""

from dse.importers.coverage import Imported

__all__ = ["Imported"]
