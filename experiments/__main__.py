"""Run every experiment; write each CSV and plot, and summary.csv and summary.md of all."""

import pandas as pd

from experiments.comparison import FOLDER, experiments, markdown, report


def main() -> None:
    """Run all, in the order of their names."""
    summary = pd.concat([report(one) for one in experiments()], ignore_index=True)
    path = FOLDER / "summary.csv"
    summary.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    text = markdown(summary)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(f"\n{text}")


if __name__ == "__main__":
    main()
