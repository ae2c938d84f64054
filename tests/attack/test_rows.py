"""An attack's failures, each with its smallest reproduction: none of them fails any more.

====  ==========================================================================================
row   what failed, and the test that shows that it does not
====  ==========================================================================================
1     a stranger's Python ran: test_no_environment_for_child_processes
2     a stranger's YAML emptied a file: test_no_log_of_a_stranger_empties_a_file
3     the environment was printed: test_no_variable_of_the_environment_is_printed
4     ``| head`` lost a run: tests/test_nothing_lost.py test_a_closed_pipe_loses_nothing
5     interrupts lost what was told: the same file, test_what_was_told_is_kept,
      test_interrupts_at_random_moments
6     runs that ended together were lost or mixed: the same file,
      test_runs_of_one_moment_get_folders_of_their_own, test_200_runs_that_end_together
7     inputs without an end: test_text_without_an_end_is_refused
8     one name with two meanings: test_a_name_means_one_file
9     no place for compiled code: tests/test_compiling.py
10    sweeps of a launcher hid failures: tests/test_nothing_lost.py
      test_jobs_of_a_launcher_that_fail_are_told; test_a_sweep_tells_which_job_failed
11    a broken file of compiled code: tests/test_compiling.py
12    ``.hydra`` of another run: tests/test_nothing_lost.py
      test_a_run_has_its_own_hydra_folder_log_and_hashes
13    sums that differ between versions of Python: test_totals_are_exact_sums
14    SIGTERM in a pool of threads: tests/test_stopping.py
15    arrays cost, not designs; 17 many layers: of scale, held by tests/benchmarks
16    a study of 500 costed 41,313: test_a_study_costs_what_it_was_asked_for
18    batches of a million: test_a_batch_of_a_million_is_refused, test_trials_beyond_the_space
19    run folders were not checked: test_a_run_folder_of_wrong_types, test_a_parquet_bomb
20    an edited table was called exact: test_an_edited_run_is_said_to_be_edited
21    a report was written through links: test_a_report_is_not_written_through_links
22    paths that needed quotes: test_paths_need_no_quotes, test_a_working_directory_with_braces
23    knobs that stayed: test_a_mapping_of_knobs_replaces_them_all
24    seven tracebacks: test_what_is_no_input_is_refused_in_one_line
25    ASCII, closed streams: tests/test_nothing_lost.py; no compilation: tests/test_compiling.py
26    texts that act: tests/test_nothing_lost.py test_texts_that_act_are_spelt_out
27    defaults elsewhere: test_defaults_stay_in_their_folder
28    errors without the file: tests/test_nothing_lost.py
      test_a_full_disk_names_the_file_and_what_is_kept; tests/test_compiling.py
29    a network of no time: test_a_network_that_takes_no_time_is_refused
30    a longer array may take longer: the law's exception, in dse/docs/model.md
====  ==========================================================================================
"""

import json
import math
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from pyarrow import parquet

import dse
from dse.cli import main
from dse.config.overrides import hydra_arguments
from dse.report.evidence import trust
from dse.report.finished import read_run

SECRET = "hunter2-of-the-environment"
NETWORK = "name: n\nlayers: [{name: a, k: 4, c: 4}]\n"
EVALUATE = ["task=evaluate", "accelerator=flexible", "report=none"]
TINY = [*EVALUATE, "workload=tiny"]
OURS = [*EVALUATE, "--config-dir", "m", "workload=n"]
SEARCH = [
    *("workload=tiny", "space.knobs={array_rows:[8,16],buffer_bytes:[65536,131072]}"),
    *("budget=none", "search.trials=4"),
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return an empty working directory; the environment holds a secret."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DSE_SECRET", SECRET)
    (tmp_path / "m" / "workload").mkdir(parents=True)
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a search."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    assert main([*SEARCH, "report=none", f"hydra.run.dir={folder}"]) == 0
    return folder


@pytest.fixture
def run(home, finished, capsys):
    """Return a copy of the folder of a search, named run."""
    shutil.copytree(finished, home / "run")
    capsys.readouterr()
    return home / "run"


def refused(capsys, arguments, *, status=2):
    """Run a command that must fail, and return its one line."""
    assert main(arguments) == status
    streams = capsys.readouterr()
    assert streams.err.count("\n") == 1, streams.err
    assert "Traceback" not in streams.err
    assert SECRET not in streams.out + streams.err
    return streams.err


def network(text):
    Path("m/workload/n.yaml").write_text(text + NETWORK, encoding="utf-8")


def test_no_environment_for_child_processes(home, capsys):
    (home / "m" / "e").mkdir()
    (home / "m" / "e" / "sitecustomize.py").write_text("open('CANARY', 'w')\n")
    network("# @package _global_\nhydra: {job: {env_set: {PYTHONPATH: m/e}}}\n")
    assert "header" in refused(capsys, OURS)
    assert not Path("CANARY").exists()


def test_no_log_of_a_stranger_empties_a_file(home, capsys):
    Path("f").write_text("precious")
    network(
        "# @package _global_\nhydra: {job_logging: {version: 1, handlers: {x: {class: "
        "logging.FileHandler, filename: f, mode: w}}, root: {handlers: [x]}}}\n"
    )
    assert "header" in refused(capsys, OURS)
    assert Path("f").read_text() == "precious"


def test_no_variable_of_the_environment_is_printed(home, capsys):
    Path("l.yaml").write_text(NETWORK.replace("name: n", "name: ${oc.env:DSE_SECRET}"))
    assert "interpolation" in refused(capsys, [*EVALUATE, "workload.path=l.yaml"])


def test_text_without_an_end_is_refused(home, capsys):
    lines = [f"a{i}: &a{i} [{', '.join(['x' if i == 0 else f'*a{i - 1}'] * 9)}]" for i in range(9)]
    network("\n".join(lines) + "\n")
    assert "values" in refused(capsys, OURS)
    network("batch: ${mul:ab,2000000000}\n")
    assert "interpolation" in refused(capsys, OURS)


def test_a_name_means_one_file(home, capsys):
    (home / "m" / "dram").mkdir()
    part = dse.config.files.conf_dir() / "dram" / "ddr4_3200_x64.yaml"
    shutil.copy(part, home / "m" / "dram")
    network("")
    assert main(OURS) == 0
    assert "dram 'ddr4_3200_x64' is m/dram/ddr4_3200_x64.yaml" in capsys.readouterr().out


def test_a_sweep_tells_which_job_failed(home, capsys):
    assert main(["-m", *TINY, "accelerator.buffer_bytes=65536,-1"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith("dse: job 1 (")


def test_totals_are_exact_sums():
    result = dse.evaluate(dse.load_workload("resnet50"), dse.load_accelerator("flexible"))
    assert result.latency_s == math.fsum(row["latency_s"] for row in result.layer_rows)


@pytest.mark.slow
def test_a_study_costs_what_it_was_asked_for(home):
    assert main(["workload=tiny", "search.trials=20", "report=none", "hydra.run.dir=r"]) == 0
    manifest = json.loads(Path("r/manifest.json").read_text())
    assert manifest["num_costed"] == 20


def test_a_batch_of_a_million_is_refused(home, capsys):
    ask = ["workload=tiny", "search=random", "search.options.batch_size=1000000"]
    assert "search.options.batch_size" in refused(capsys, ask)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["ridge", "random"])
def test_trials_beyond_the_space(home, sampler):
    knobs = "space.knobs={array_rows:[4,6,8,10,12,16],buffer_bytes:[65536,131072],batch:[1,2,4,8]}"
    ask = ["workload=tiny", knobs, f"search={sampler}", "search.trials=1000000000", "report=none"]
    assert main([*ask, "search.enumerate_limit=0", "hydra.run.dir=r"]) == 0
    assert json.loads(Path("r/manifest.json").read_text())["num_costed"] <= 48


@pytest.mark.parametrize(
    ("name", "key", "value", "rule"),
    [
        ("manifest", "config", {"task": {"name": 1}}, "task must be"),
        ("manifest", "config", {"objectives": 3}, "objectives must be"),
        ("manifest", "front", [], "front must be exact or sampled"),
        ("manifest", "notes", {"a": 1}, "notes must be a list of texts"),
        ("pick", "design", [], "design must be a mapping"),
        ("pick", "runners_up", [3], "runners_up must be"),
        ("summary", "latency_s", "soon", "latency_s must be a number"),
        ("summary", "warnings", 3, "warnings must be"),
    ],
)
def test_a_run_folder_of_wrong_types(run, name, key, value, rule):
    path = run / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(dse.DseError, match=rule):
        read_run(run)


def test_a_run_folder_that_contradicts_itself(run, capsys):
    path = run / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "config": {}}))
    error = refused(capsys, ["task=report", "run=run"])
    assert "run run: its files do not fit together" in error


@pytest.mark.parametrize("text", ["{", "[]", "NaN", "[" * 10_000, '{"config": NaN}', "9" * 5000])
def test_a_manifest_that_is_no_object(run, text):
    (run / "manifest.json").write_text(text)
    with pytest.raises(dse.DseError, match=r"manifest\.json"):
        read_run(run)


def test_a_text_where_designs_have_a_number(run):
    designs = pd.read_parquet(run / "designs.parquet")
    texts = designs.astype({"throughput_per_s": str})
    texts.to_parquet(run / "designs.parquet")
    with pytest.raises(dse.DseError, match=r"throughput_per_s in designs\.parquet"):
        read_run(run).designs  # noqa: B018


def test_a_parquet_bomb(run):
    column = pa.DictionaryArray.from_arrays(np.zeros(61_000_000, np.int8), pa.array([1.0]))
    parquet.write_table(pa.table({"latency_s": column}), run / "designs.parquet")
    assert (run / "designs.parquet").stat().st_size < 2**20
    with pytest.raises(dse.DseError, match="at most 60,000,000 values"):
        read_run(run).designs  # noqa: B018


def test_an_edited_run_is_said_to_be_edited(run, capsys):
    designs = pd.read_parquet(run / "designs.parquet")
    designs.loc[0, ["throughput_per_s", "area_mm2"]] = 1e9, 1e-6
    designs.to_parquet(run / "designs.parquet", index=False)
    said = "edited since the run wrote it: designs.parquet"
    assert main(["task=pick", "run=run", "report=none", "hydra.run.dir=again"]) == 0
    assert f"run run: {said}" in capsys.readouterr().out
    manifest = json.loads(Path("again/manifest.json").read_text())
    assert (manifest["front"], manifest["notes"]) == ("sampled", [said])


def test_a_run_that_is_reported_again_is_not_edited(run, capsys):
    assert main(["task=report", "run=run"]) == 0
    assert "edited" not in capsys.readouterr().out
    assert "edited" not in (run / "report.html").read_text(encoding="utf-8")
    assert read_run(run).edited == ()
    page = dse.report.manifest.sha256(run / "report.html")
    assert json.loads((run / "manifest.json").read_text())["outputs_sha256"]["report.html"] == page


def test_an_edited_configuration_is_said_to_be_edited(run):
    path = run / "manifest.json"
    values = json.loads(path.read_text())
    values["config"]["budget"] = {"area_mm2": 100.0}
    path.write_text(json.dumps(values))
    assert read_run(run).notes == ["edited since the run wrote it: manifest.json"]


def test_the_page_of_an_edited_run_says_so(run):
    (run / "layers.csv").write_text((run / "layers.csv").read_text().replace("conv1", "conv2"))
    said = [x for part in trust(read_run(run), {}).parts for x in getattr(part, "lines", ())]
    assert "edited since the run wrote it: layers.csv" in said


def test_a_report_is_not_written_through_links(run, capsys):
    precious = Path("precious")
    precious.mkdir()
    for name in ("pareto.svg", "report.html"):
        (precious / name).write_text("precious")
    (run / "plots").symlink_to(precious.absolute())
    assert "not a link" in refused(capsys, ["task=report", "run=run"])
    (run / "plots").unlink()
    (run / "plots").mkdir()
    (run / "plots" / "pareto.svg").symlink_to((precious / "pareto.svg").absolute())
    (run / "report.html").symlink_to((precious / "report.html").absolute())
    assert main(["task=report", "run=run"]) == 0
    assert [x.read_text() for x in precious.iterdir()] == ["precious", "precious"]


@pytest.mark.parametrize(
    "name",
    [
        *("josé", "a=b", "a,b", "a(b", "a[b", "a'b", 'a"b', "a b", "a\\b", "a\\", "a{", "a\\'b"),
        *("a]", "a)", "~a", "a&b", "a;b", "a|b", "a#b", "a$b", "a\\\\"),
    ],
)
def test_paths_need_no_quotes(name):
    (override,) = hydra_arguments([f"workload.path={name}"])
    assert OverridesParser.create().parse_override(override).value() == name


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("josé/net.yaml", ["josé/net.yaml"]),
        ("josé/a.yaml,my nets/b.yaml", ["josé/a.yaml", "my nets/b.yaml"]),
        ("choice(a.yaml,b.yaml)", ["a.yaml", "b.yaml"]),
    ],
)
def test_paths_of_a_sweep(value, paths):
    arguments = hydra_arguments(["-m", f"workload.path={value}"])
    read = OverridesParser.create().parse_override(next(x for x in arguments if "=" in x))
    found = list(read.sweep_iterator()) if read.is_sweep_override() else [read.value()]
    assert [getattr(x, "text", x) for x in found] == paths


def test_a_path_with_what_looks_like_an_interpolation(home):
    path = Path("a'\\${x} =é", "net.yaml")
    path.parent.mkdir()
    path.write_text(NETWORK)
    assert main(["task=import", f"workload.path={path}"]) == 0


def test_a_working_directory_with_braces(home, monkeypatch):
    Path("${x}").mkdir()
    monkeypatch.chdir("${x}")
    assert main(TINY) == 0


def test_a_mapping_of_knobs_replaces_them_all(home, capsys):
    assert main(["workload=tiny", "space.knobs={array_rows:[8,16]}", "--cfg", "job"]) == 0
    shown = capsys.readouterr().out.partition("knobs:")[2].partition("\nsearch")[0]
    assert shown.split()[:5] == ["array_rows:", "-", "8", "-", "16"]
    assert "buffer_bytes" not in shown


@pytest.mark.parametrize(
    "override",
    [
        *("accelerator.held_in_array={}", "~seed", "search=[null]", "task=[0]"),
        *("hydra.verbose={a: 1}", f"seed={'9' * 5000}", f"accelerator.clock_hz={'9' * 290}"),
        *(f"accelerator.clock_hz={'9' * 400}", "search.sampler=[]", "search.options=0"),
        *("space.knobs.batch={_target_: os.system}", "accelerator.clock_hz=1e300"),
        *("hydra.mode=x", "hydra/launcher=x", "hydra.searchpath=[x]", "=3"),
    ],
)
def test_what_is_no_input_is_refused_in_one_line(home, capsys, override):
    refused(capsys, [*TINY, override])


@pytest.mark.parametrize("value", ["9" * 400, "1e400", "-1", "nan", "[1]", "{a: 1}", "true"])
def test_a_budget_that_is_none_is_refused_in_one_line(home, capsys, value):
    refused(capsys, ["workload=tiny", f"budget.area_mm2={value}"])


def test_a_number_of_defaults_is_refused(home, capsys):
    network("defaults: 3\n")
    assert "defaults must be a list" in refused(capsys, OURS)


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "..", "a/../../../secret"])
def test_defaults_stay_in_their_folder(home, capsys, name):
    Path("secret.yaml").write_text(f"source: {SECRET}\n")
    network(f"defaults: ['{name}']\n")
    error = refused(capsys, OURS)
    assert "root:" not in error


@pytest.mark.parametrize("machine", ["tpu_v1", "cnn_accel"])
def test_a_network_that_takes_no_time_is_refused(home, capsys, machine):
    pool = "{name: a, op: pool, input_elements: 64, output_elements: 16, window_elements: 4}"
    Path("p.yaml").write_text(f"name: p\nlayers: [{pool}]\n")
    ask = ["task=evaluate", f"accelerator={machine}", "workload.path=p.yaml", "report=none"]
    assert "must take some time" in refused(capsys, ask)


def test_git_hears_nothing_of_the_environment(monkeypatch, tmp_path):
    (tmp_path / "git").write_text(f"#!{sys.executable}\nimport os\nprint(sorted(os.environ))\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("GIT_DIR", "LD_PRELOAD_CANARY", "PYTHONPATH", "DSE_SECRET"):
        monkeypatch.setenv(name, SECRET)
    heard = dse.report.manifest.git_commit()
    if heard is not None:  # outside of a checkout git is not asked
        assert not {"GIT_DIR", "DSE_SECRET", "PYTHONPATH"} & set(heard.replace("'", " ").split())
