"""The command line: compose a configuration with Hydra, run its task, write its folder."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import hydra
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import dse
from dse.config.files import conf_dir, user_directories
from dse.config.mistakes import CONFIGURATION_ERRORS, message
from dse.config.overrides import config_directories, hydra_arguments
from dse.config.references import register_resolvers
from dse.config.source import register_source
from dse.report.run_folder import remove_unfinished, staged
from dse.stopping import ended_by_signals

FULL_ERROR = "HYDRA_FULL_ERROR"

USER_ERROR, INTERRUPTED = 2, 130


@dataclass
class _Jobs:
    """What became of the jobs of one command."""

    command: list[str]
    show_traceback: bool
    sweep_dir: Path | None = None
    num_failed: int = 0
    num_done: int = 0
    status: int = 0
    is_running: bool = False

    def run(self, config: DictConfig) -> None:
        """Run one job; a mistake of the user is told, and the next job of a sweep goes on."""
        job = HydraConfig.get()
        is_sweep = job.mode is not None and job.mode.name == "MULTIRUN"
        if is_sweep:
            self.sweep_dir = Path(job.sweep.dir)
        self.is_running = True
        try:
            self._run(config, job)
            self.num_done += 1
        except CONFIGURATION_ERRORS as error:
            self.num_failed += 1
            self.tell(error, f"job {job.job.num}: " if is_sweep else "")
        self.is_running = False

    def _run(self, config: DictConfig, job: HydraConf) -> None:
        is_placed = any(x.startswith("hydra.run.dir") for x in _texts(job.overrides.hydra))
        with (
            user_directories(_directories(job)),
            staged(_output_dir(job), is_replaced=is_placed) as stage,
        ):
            from dse.config.resolved import Composed  # what a task needs loads when one runs
            from dse.tasks import run_task

            _tell_of_compilation()
            composed = Composed(
                config=config,
                overrides=_texts(job.overrides.task),
                choices=dict(job.runtime.choices),
            )
            outcome = run_task(composed, stage, self.command, _say)
        lines, self.status = outcome.lines, max(self.status, outcome.status)
        if stage.place.is_dir():
            lines.append(f"{'Files':<12} {_from_here(stage.place)}")
        _say(lines)

    def tell(self, error: BaseException, where: str = "") -> None:
        """Print the one message, and for developers the traceback."""
        if self.show_traceback:
            traceback.print_exception(error)
        print(f"dse: {where}{message(error)}", file=sys.stderr)


def _say(lines: list[str]) -> None:
    if lines:
        print("\n".join(lines), flush=True)


@lru_cache(maxsize=1)
def _tell_of_compilation() -> None:
    """Say on a terminal why the first run takes longer."""
    from dse.compiling import on_first_compilation

    if sys.stderr.isatty():
        text = "dse: compiling, once after an installation or an update: about half a minute"
        on_first_compilation(lambda: print(text, file=sys.stderr, flush=True))


def _output_dir(job: HydraConf) -> Path:
    """Return the run folder; a working directory may have what looks like an interpolation."""
    runtime = OmegaConf.to_container(job.runtime, resolve=False)
    assert isinstance(runtime, dict)
    return Path(runtime["output_dir"])


def _directories(job: HydraConf) -> list[Path]:
    """Return the user's own configuration directories, first the one that is searched first."""
    sources = [x.path for x in job.runtime.config_sources if x.schema == "file"]
    return [Path(x) for x in sources if Path(x) != conf_dir()]


def _texts(overrides: list[str]) -> tuple[str, ...]:
    """Return overrides as they were typed, interpolations in them unresolved."""
    texts = OmegaConf.to_container(overrides, resolve=False)
    return tuple(map(str, texts)) if isinstance(texts, list) else ()


def _from_here(folder: Path) -> Path:
    """Return a folder as seen from the working directory, if it is below it."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    That is 0, 2 for a mistake in the input, or 3 where no design of a search meets the budget.

    Parameters
    ----------
    arguments
        Those after the program's name; of the process itself if None.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if "--version" in arguments:
        _say([f"dse {dse.__version__} (Hydra {hydra.__version__})"])
        return 0
    jobs = _Jobs(["dse", *arguments], os.environ.get(FULL_ERROR) == "1")
    register_resolvers()
    register_source()
    application = hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")(
        jobs.run
    )
    try:
        own = config_directories(arguments)
        with user_directories(own), _hydra_process(arguments), ended_by_signals():
            application()
    except KeyboardInterrupt:
        print("dse: interrupted, nothing was written", file=sys.stderr)
        return INTERRUPTED
    except (*CONFIGURATION_ERRORS, ValueError) as error:
        if jobs.is_running:  # a defect of the program, not of its input
            raise
        jobs.tell(error)
        jobs.num_failed += 1
        jobs.sweep_dir = jobs.sweep_dir or _sweep_dir(error)
    finally:
        if jobs.sweep_dir is not None and not jobs.num_done:
            _remove_sweep(jobs.sweep_dir)
    return USER_ERROR if jobs.num_failed else jobs.status


def entry() -> None:
    """Run the command ``dse`` and exit with its status."""
    sys.exit(main())


@contextmanager
def _hydra_process(arguments: Sequence[str]) -> Iterator[None]:
    """Give Hydra its command line, and have it raise its errors instead of printing them."""
    argv, full_error = sys.argv, os.environ.get(FULL_ERROR)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    sys.argv, os.environ[FULL_ERROR] = ["dse", *hydra_arguments(arguments)], "1"
    try:
        yield
    finally:
        sys.argv, root.handlers[:] = argv, handlers
        root.setLevel(level)
        if full_error is None:
            del os.environ[FULL_ERROR]
        else:
            os.environ[FULL_ERROR] = full_error


def _sweep_dir(error: BaseException) -> Path | None:
    """Return the folder that Hydra's sweeper had made when it failed, if it was the sweeper."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "sweep" and "sweep_dir" in frame.f_locals:
            return Path(frame.f_locals["sweep_dir"])
    return None


def _remove_sweep(folder: Path) -> None:
    """Remove the folder of a sweep of which no job succeeded."""
    (folder / "multirun.yaml").unlink(missing_ok=True)
    remove_unfinished(folder.absolute())
