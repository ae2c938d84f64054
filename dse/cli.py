"""The command line: compose a configuration with Hydra, run its task, write its folder."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import hydra
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

import dse
from dse.config.files import conf_dir, user_directories
from dse.config.mistakes import CONFIGURATION_ERRORS, message
from dse.config.overrides import (
    as_typed,
    config_directories,
    hydra_arguments,
    is_set,
    is_sweep,
)
from dse.config.references import register_resolvers
from dse.config.source import register_source
from dse.report.run_folder import Stage, staged
from dse.stopping import Stopped, check_signal, ended_by_signals
from dse.sweeps import Sweep, sweep_of
from dse.terminal import say

FULL_ERROR = "HYDRA_FULL_ERROR"
HYDRA_FOLDER = ".hydra"
QUIET = "-q", "--quiet"

USER_ERROR, INTERRUPTED = 2, 130


@dataclass
class _Jobs:
    """What became of the jobs of one command."""

    arguments: list[str]
    show_traceback: bool
    is_quiet: bool
    sweep: Sweep | None = None
    num_failed: int = 0
    status: int = 0
    is_running: bool = False
    stage: Stage | None = field(default=None, repr=False)

    def run(self, config: DictConfig) -> None:
        """Run one job; a mistake of the user is told, and the next job of a sweep goes on."""
        job = HydraConfig.get()
        self.is_running = True
        try:
            self._run(config, job)
        except CONFIGURATION_ERRORS as error:
            check_signal()
            self._fail(error, job)
        self.is_running, self.stage = False, None

    def _fail(self, error: BaseException, job: HydraConf) -> None:
        kept = ""
        if self.stage is not None and self.stage.is_known:
            kept = f"; what was known before is in {_from_here(self.stage.folder)}, marked partial"
        if self.sweep is None:
            self.tell(error, kept=kept)
        else:
            overrides = as_typed(_texts(job.overrides.task))
            where = f"job {job.job.num} ({' '.join(overrides)}): "
            self.sweep.record(job.job.num, overrides, f"{where}{message(error)}{kept}")
            if self.sweep.is_here:
                self.tell(error, where, kept)
        self.num_failed += 1

    def _run(self, config: DictConfig, job: HydraConf) -> None:
        is_fixed = is_set(self.arguments, "hydra.run.dir", "hydra.sweep")
        with (
            user_directories(_directories(job)),
            staged(_output_dir(job), self._command(job), is_fixed=is_fixed) as stage,
        ):
            self.stage = stage
            from dse.config.resolved import Composed  # what a task needs loads when one runs
            from dse.tasks import run_task

            _tell_of_compilation()
            _write_hydra(stage.folder / HYDRA_FOLDER, config)
            composed = Composed(
                config=config,
                overrides=_texts(job.overrides.task),
                choices=dict(job.runtime.choices),
            )
            outcome = run_task(composed, stage, self._command(job), self._say)
        lines, self.status = outcome.lines, max(self.status, outcome.status)
        if stage.folder.is_dir():
            lines.append(f"{'Files':<12} {_from_here(stage.folder)}")
        self._say(lines)
        _tell_of_code_not_kept()

    def _command(self, job: HydraConf) -> list[str]:
        """Return the command line that repeats this job."""
        if self.sweep is None:
            return ["dse", *self.arguments]
        own = [f"--config-dir={x}" for x in config_directories(self.arguments)]
        return ["dse", *own, *as_typed(_texts(job.overrides.task))]

    def _say(self, lines: list[str]) -> None:
        if self.stage is not None and self.stage.folder.is_dir():
            self.stage.log(lines)
        if not self.is_quiet:
            say(lines)

    def tell(self, error: BaseException, where: str = "", kept: str = "") -> None:
        """Print the one message, and for developers the traceback."""
        if self.show_traceback:
            traceback.print_exception(error)
        say([f"dse: {where}{message(error)}{kept}"], is_error=True)

    def end_now(self) -> None:
        """Keep what is known, where the main thread cannot."""
        if self.stage is not None:
            self.stage.end("partial")
        self.tell_of_end()

    def tell_of_end(self) -> None:
        """Say what an interrupt left."""
        text = "nothing was written"
        if self.stage is not None and self.stage.is_known:
            text = f"what was known is in {_from_here(self.stage.folder)}, marked partial"
        say([f"dse: interrupted, {text}"], is_error=True)


@lru_cache(maxsize=1)
def _tell_of_compilation() -> None:
    """Say on a terminal why the first run takes longer."""
    from dse.compiling import on_first_compilation

    if sys.stderr.isatty():
        text = "dse: compiling, once after an installation or an update: about half a minute"
        on_first_compilation(lambda: say([text], is_error=True))


def _tell_of_code_not_kept() -> None:
    """Say, once in a process, why each run compiles anew, and what ends that."""
    from dse.compiling import why_not_kept

    reason = why_not_kept()
    if reason is not None:
        _tell_once(
            f"dse: compiled code is not kept ({reason}), so each run takes half a minute more; "
            "NUMBA_CACHE_DIR=FOLDER names a folder that can be written"
        )


@lru_cache(maxsize=1)
def _tell_once(text: str) -> None:
    say([text], is_error=True)


def _write_hydra(folder: Path, config: DictConfig) -> None:
    """Write what Hydra composed, as Hydra would, in the run's own folder."""
    folder.mkdir()
    for name, values in (
        ("config", config),
        ("hydra", HydraConfig.instance().cfg),
        ("overrides", HydraConfig.get().overrides.task),
    ):
        text = OmegaConf.to_yaml(values, resolve=False)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def _output_dir(job: HydraConf) -> Path:
    """Return the run folder; a working directory may have what looks like an interpolation."""
    runtime = OmegaConf.to_container(job.runtime, resolve=False)
    assert isinstance(runtime, dict)
    return Path(runtime["output_dir"])


def _directories(job: HydraConf) -> list[Path]:
    """Return the user's own configuration directories, first the one that is searched first."""
    sources = OmegaConf.to_container(job.runtime.config_sources, resolve=False)
    assert isinstance(sources, list)
    files = [Path(x["path"]) for x in sources if x["schema"] == "file"]
    return [x for x in files if x != conf_dir()]


def _texts(overrides: list[str]) -> tuple[str, ...]:
    """Return overrides as they were typed, interpolations in them unresolved."""
    texts = OmegaConf.to_container(overrides, resolve=False)
    return tuple(map(str, texts)) if isinstance(texts, list) else ()


def _from_here(folder: Path) -> Path:
    """Return a folder as seen from the working directory, if it is below it."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    That is 0, 2 for a mistake in the input, 3 where no design of a search meets the budget, or
    128 and the number of the signal that ended it.

    Parameters
    ----------
    arguments
        Those after the program's name; of the process itself if None.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--version" in given:
        say([f"dse {dse.__version__} (Hydra {hydra.__version__})"])
        return 0
    own = [x for x in given if x not in QUIET]
    jobs = _Jobs(own, os.environ.get(FULL_ERROR) == "1", is_quiet=len(own) < len(given))
    register_resolvers()
    register_source()
    application = hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name="config")(
        jobs.run
    )
    try:
        with ended_by_signals(jobs.end_now):
            _compose_and_run(application, jobs)
    except KeyboardInterrupt as stop:
        jobs.tell_of_end()
        return stop.status if isinstance(stop, Stopped) else INTERRUPTED
    return USER_ERROR if jobs.num_failed else jobs.status


def _compose_and_run(application: "hydra.types.TaskFunction", jobs: _Jobs) -> None:
    """Run the application; what composing raises is a mistake of the user, and is told."""
    try:
        for_hydra = hydra_arguments(jobs.arguments)
        if is_sweep(jobs.arguments):
            jobs.sweep = sweep_of(jobs.arguments)
            for_hydra = [*for_hydra, f"hydra.sweep.dir='{jobs.sweep.quoted_folder}'"]
        with user_directories(config_directories(jobs.arguments)), _hydra_process(for_hydra):
            application()  # type: ignore[call-arg]
    except Exception as error:
        check_signal()
        is_mistake = isinstance(error, (*CONFIGURATION_ERRORS, TypeError, ValueError))
        if jobs.is_running or not is_mistake:  # a defect of the program, not of its input
            raise
        jobs.tell(error)
        jobs.num_failed += 1
    finally:
        if jobs.sweep is not None:
            failures = jobs.sweep.failures()
            jobs.num_failed = max(jobs.num_failed, len(failures))
            say([] if jobs.sweep.is_told else [f"dse: {x}" for x in failures], is_error=True)
            jobs.sweep.close()


@contextmanager
def _hydra_process(arguments: Sequence[str]) -> Iterator[None]:
    """Give Hydra its command line, and have it raise its errors instead of printing them."""
    argv, full_error = sys.argv, os.environ.get(FULL_ERROR)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    sys.argv, os.environ[FULL_ERROR] = ["dse", *arguments], "1"
    try:
        yield
    finally:
        sys.argv, root.handlers[:] = argv, handlers
        root.setLevel(level)
        if full_error is None:
            del os.environ[FULL_ERROR]
        else:
            os.environ[FULL_ERROR] = full_error
