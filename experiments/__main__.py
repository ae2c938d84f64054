"""Run every experiment; write each CSV and plot, and the summary and pages of all."""

from experiments import page
from experiments.comparison import experiments, report


def main() -> None:
    """Run all, in the order of their names."""
    for one in experiments():
        report(one)
    page.main()


if __name__ == "__main__":
    main()
