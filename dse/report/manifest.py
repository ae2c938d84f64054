"""The manifest of a run: what it was made from, and with what."""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("chipfront", "numpy", "pandas", "optuna", "hydra-core", "moocore", "pyarrow")


def manifest(
    config: Mapping[str, Any], inputs: Mapping[str, Path], *, command: list[str], wall_s: float
) -> dict[str, Any]:
    """Return what a run records of itself.

    Parameters
    ----------
    config
        The resolved configuration, recorded whole.
    inputs
        Files that were read, by the names that the user knows them by.
    command
        The command line.
    wall_s
        Wall time of the run. [s]
    """
    config = _with_texts(config)
    return {
        "command": command,
        "versions": {"python": platform.python_version(), **_versions()},
        "git_commit": git_commit(),
        "seed": config.get("seed"),
        "config_sha256": config_sha256(config),
        "inputs_sha256": {name: sha256(inputs[name]) for name in sorted(inputs)},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_s": round(wall_s, 3),
        "config": config,
    }


def config_sha256(config: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a configuration as JSON holds it, in hexadecimal."""
    text = json.dumps(config, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _with_texts(value: Any) -> Any:
    """Return a value with keys that are texts; YAML takes some names for numbers."""
    if isinstance(value, Mapping):
        return {str(key): _with_texts(part) for key, part in value.items()}
    return [_with_texts(part) for part in value] if isinstance(value, list) else value


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def git_commit() -> str | None:
    """Return the commit of the checkout that the code runs from, None outside a checkout."""
    checkout = Path(__file__).resolve().parents[2]
    if not (checkout / ".git").exists():
        return None
    try:
        commit = _git(checkout, "rev-parse", "HEAD")
        is_changed = bool(_git(checkout, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit} with changes" if is_changed else commit


def _git(checkout: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["git", "-C", str(checkout), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
        env={"PATH": os.environ.get("PATH", os.defpath)},  # no GIT_DIR, no library of others
    )
    return result.stdout.strip()


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
