"""Every configuration can be composed, and means the same with and without Hydra."""

import re
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf, open_dict

from dse.config.accelerators import accelerator_from, catalogue
from dse.config.files import conf_dir, group_names, load_group
from dse.config.references import register_resolvers
from dse.config.resolved import Composed, resolved
from dse.config.runs import TASKS, settings_from
from dse.config.spaces import space_from
from dse.config.workloads import workload_from
from dse.exploration import SAMPLERS

FILES = sorted(conf_dir().rglob("*.yaml"))
BUILDERS = {"workload": workload_from, "accelerator": accelerator_from}
NAMED = [(group, name) for group in BUILDERS for name in group_names(group)]


def composed(*overrides: str) -> Composed:
    """Compose the configuration as the command line does."""
    register_resolvers()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose("config", list(overrides), return_hydra_config=True)
    choices = OmegaConf.to_container(config.hydra.runtime.choices)
    with open_dict(config):
        del config["hydra"]
    return Composed(config=config, overrides=overrides, choices=choices)


@pytest.mark.parametrize("path", FILES, ids=[f"{x.parent.name}/{x.stem}" for x in FILES])
def test_file_is_named_as_it_says_and_names_no_code(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"_target_|oc\.env|!!python", text)
    if path.parent.name not in ("conf", "budget", "search"):
        assert yaml.safe_load(text).get("name", path.stem) == path.stem


@pytest.mark.parametrize(("group", "name"), NAMED)
def test_hydra_and_the_plain_reader_agree(group, name):
    with_hydra = resolved(composed(f"{group}={name}"))[group]
    alone = load_group(group, name)
    assert with_hydra == alone
    assert BUILDERS[group](with_hydra) == BUILDERS[group](alone)


@pytest.mark.parametrize("name", group_names("space"))
def test_space_can_be_built(name):
    values = resolved(composed(f"space={name}"))
    space = space_from(values["space"], accelerator_from(values["accelerator"]), catalogue())
    assert space.size > 1


@pytest.mark.parametrize("name", group_names("budget"))
def test_budget_is_of_known_quantities(name):
    settings_from(resolved(composed(f"budget={name}")))


@pytest.mark.parametrize("name", group_names("search"))
def test_search_names_a_sampler(name):
    assert composed(f"search={name}").config.search.sampler in SAMPLERS


def test_tasks_are_those_of_the_code():
    assert set(group_names("task")) == set(TASKS)


def test_workload_overrides_replace_what_is_referred_to():
    values = resolved(composed("workload=bert_base", "++workload.seq_len=128"))
    assert values["workload"] == load_group("workload", "bert_base", seq_len=128)


def test_accelerator_of_the_space_takes_overrides():
    values = resolved(composed("++accelerator.clock_hz=5.0e8"))
    assert values["accelerator"]["clock_hz"] == 5e8
    assert values["accelerator"]["name"] == values["space"]["accelerator"]


def test_user_files_may_inherit(tmp_path):
    (tmp_path / "mine.yaml").write_text("defaults: [flexible]\nname: mine\narray_rows: 20\n")
    mine = load_group("accelerator", tmp_path / "mine.yaml", buffer_bytes=4096)
    flexible = load_group("accelerator", "flexible")
    assert mine == {**flexible, "name": "mine", "array_rows": 20, "buffer_bytes": 4096}


def test_conf_dir_is_that_of_the_checkout():
    assert conf_dir() == Path(__file__).parents[1] / "conf"
