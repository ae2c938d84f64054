"""Run every experiment; write each CSV and plot, summary.csv of all, and the pages."""

import pandas as pd

from experiments import page
from experiments.comparison import FOLDER, experiments, report


def main() -> None:
    """Run all, in the order of their names."""
    summary = pd.concat([report(one) for one in experiments()], ignore_index=True)
    path = FOLDER / "summary.csv"
    summary.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    page.main()


if __name__ == "__main__":
    main()
