"""Where Hydra reads files: checked, of one group each, the user's own before the project's."""

from pathlib import Path

from hydra._internal.core_plugins import file_config_source
from hydra._internal.sources_registry import SourcesRegistry
from hydra.plugins.config_source import ConfigLoadError, ConfigResult

from dse.config.files import check_defaults, conf_dir, config_dirs, file_below
from dse.config.safe_yaml import parse_yaml
from dse.errors import DseError

PRIMARY = "config.yaml"


class FileConfigSource(file_config_source.FileConfigSource):
    """Files of a directory, as `dse.config.files` reads them: one meaning of a name for all.

    It takes the place of Hydra's own, of which every file that is composed comes, and has its
    name, which Hydra looks at where a launcher sets up another process. (Hydra has no public way
    to do so; 1.3 is the upper bound of the dependency.)
    """

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        self._directories = config_dirs()  # kept for the other processes of a sweep
        self._is_project = Path(self.path) == conf_dir()

    def load_config(self, config_path: str) -> ConfigResult:
        """Read a file; headers that would place it elsewhere are refused.

        Raises
        ------
        DseError
            If the file is not one of a group, or breaks a rule of `parse_yaml`.
        """
        name = self._normalize_file_name(config_path)
        if name == PRIMARY and self._is_project:
            return super().load_config(config_path)
        group, _, stem = name.rpartition("/")
        if group not in groups():
            raise DseError(f"{name} must be a file of {', '.join(sorted(groups()))}")
        directories = self._directories if self._is_project else (Path(self.path),)
        path = file_below(directories, group, stem)
        if path is None:
            raise ConfigLoadError(f"Config not found : {name}")
        config = parse_yaml(path, group)
        check_defaults(path, group)
        return ConfigResult(
            config=config,
            path=f"file://{self.path}",
            provider=self.provider,
            header={"package": None},
        )

    def is_config(self, config_path: str) -> bool:
        """Whether there is a file: the project's own place answers for the user's too."""
        if super().is_config(config_path):
            return True
        group, _, name = self._normalize_file_name(config_path).rpartition("/")
        is_known = self._is_project and group in groups()
        return is_known and file_below(self._directories, group, name) is not None


def groups() -> set[str]:
    """Return the names of the groups: the directories of the project's configuration."""
    return {path.name for path in conf_dir().iterdir() if path.is_dir()}


def register_source() -> None:
    """Have Hydra read files through `FileConfigSource`."""
    from hydra.core.plugins import Plugins

    Plugins.instance()  # registers Hydra's own sources, once
    SourcesRegistry.instance().types["file"] = FileConfigSource
