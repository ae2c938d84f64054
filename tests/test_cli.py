"""The command line: every command that a user may type, and the run folders that they write."""

import hashlib
import json
import re
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dse
from dse.cli import main

SMALL = [
    "workload=tiny",
    "space.knobs.array_rows=[8,16]",
    "space.knobs.array_columns=[16]",
    "space.knobs.buffer_bytes=[65536,131072]",
    "space.knobs.dram_part=[lpddr4_3200_x32]",
    "search.trials=8",
    "budget=none",
]
SEARCH_FILES = (
    "manifest.json",
    "front.csv",
    "designs.parquet",
    "pick.yaml",
    "pick.json",
    "layers.csv",
    "summary.json",
    "report.html",
)
PLOTS = ("pareto", "roofline", "traffic", "time_by_cause")


@pytest.fixture
def drawing_home(tmp_path, monkeypatch):
    """Return an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def home(drawing_home, monkeypatch):
    """Return an empty working directory in which runs draw nothing, which takes most of them."""
    monkeypatch.setattr("dse.report.page.write_report", lambda folder: None)
    return drawing_home


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Return the folder of one small search."""
    home = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert main(SMALL) == 0
    return run_folder(home)


def run_folder(home: Path, pattern: str = "*/*") -> Path:
    (folder,) = home.glob(f"outputs/{pattern}")
    return folder


def read_json(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_run_folder_is_complete(searched):
    assert searched.name.endswith("-search")
    assert [name for name in SEARCH_FILES if not (searched / name).is_file()] == []
    for plot in PLOTS:
        for suffix in ("png", "svg"):
            assert (searched / "plots" / f"{plot}.{suffix}").stat().st_size > 1000
    assert not list(searched.parent.glob(".*"))


def test_manifest_says_how_the_run_came_about(searched):
    manifest = read_json(searched / "manifest.json")
    assert manifest["command"] == ["dse", *SMALL]
    assert manifest["seed"] == 0
    assert manifest["front"] == "exact"
    assert 0 < manifest["hypervolume_share"] <= 1
    assert manifest["wall_s"] > 0
    assert {"python", "numpy", "optuna"} <= set(manifest["versions"])
    tiny = Path(__file__).parents[1] / "conf" / "workload" / "tiny.yaml"
    digest = hashlib.sha256(tiny.read_bytes()).hexdigest()
    assert manifest["inputs_sha256"]["conf/workload/tiny"] == digest
    assert len(manifest["config_sha256"]) == 64


def test_front_and_designs_have_the_same_columns(searched):
    front, designs = (
        pd.read_csv(searched / "front.csv"),
        pd.read_parquet(searched / "designs.parquet"),
    )
    assert [*front.columns, "feasible"] == list(designs.columns)
    assert {"array_rows", "throughput_per_s", "area_mm2", "dram_bytes_per_s"} <= set(front)
    assert len(designs) == 2 * 2 * 2
    assert 0 < len(front) <= len(designs)


def test_pick_is_an_accelerator(searched):
    pick, chip = (
        read_json(searched / "pick.json"),
        dse.load_accelerator(searched / "pick.yaml"),
    )
    design = pick["design"]
    assert (chip.array_rows, chip.buffer_bytes) == (design["array_rows"], design["buffer_bytes"])
    result = dse.evaluate(dse.load_workload("tiny"), chip)
    summary = read_json(searched / "summary.json")
    for name in ("latency_s", "area_mm2", "dram_bytes", "power_w", "cost_usd"):
        assert getattr(result, name) == pytest.approx(design[name], rel=1e-12)
        assert summary[name] == pytest.approx(design[name], rel=1e-12)


def test_layers_add_up_to_the_summary(searched):
    layers, summary = (
        pd.read_csv(searched / "layers.csv"),
        read_json(searched / "summary.json"),
    )
    times = [name for name in layers if name.startswith("time_")]
    np.testing.assert_allclose(layers[times].sum(axis=1), layers["latency_s"], rtol=1e-9)
    assert layers["latency_s"].sum() == pytest.approx(summary["latency_s"], rel=1e-9)
    assert layers["dram_bytes"].sum() == pytest.approx(summary["dram_bytes"], rel=1e-9)


def test_same_seed_gives_the_same_bytes(drawing_home, searched):
    assert main([*SMALL, "seed=0"]) == 0
    again = run_folder(drawing_home)
    for name in ("front.csv", "layers.csv", "pick.json", "pick.yaml", "plots/pareto.svg"):
        assert (again / name).read_bytes() == (searched / name).read_bytes(), name


def test_summary_on_the_terminal(home, capsys):
    assert main(SMALL) == 0
    streams = capsys.readouterr()
    lines = streams.out.splitlines()
    assert streams.err == ""
    assert [line.split()[0] for line in lines[:3]] == ["Pick", "Why", "Binding"]
    assert lines[-1].split() == ["Files", str(run_folder(home).relative_to(home))]


def test_evaluate_with_overrides(home):
    assert main(["task=evaluate", "workload=tiny", "workload.batch=2",
                 "accelerator=flexible", "accelerator.buffer_bytes=262144"]) == 0  # fmt: skip
    folder = run_folder(home)
    chip = dse.load_accelerator("flexible", buffer_bytes=262144)
    expected = dse.evaluate(dse.load_workload("tiny", batch=2), chip)
    assert read_json(folder / "summary.json")["latency_s"] == expected.latency_s
    assert not (folder / "front.csv").exists()


def test_a_given_mapping_is_held_against_the_best(drawing_home, capsys):
    machine = ["task=evaluate", "workload=tiny", "accelerator=flexible"]
    assert main([*machine, "mapping.layers.conv1.tile.oy=1", "hydra.run.dir=given"]) == 0
    given = pd.read_csv("given/given.csv", dtype={"best_latency_s": str}).set_index("name")
    given["best_latency_s"] = given["best_latency_s"].map(float)  # to the last digit
    free = dse.evaluate(dse.load_workload("tiny"), dse.load_accelerator("flexible"))
    best = free.layers.set_index("name").loc[given.index]
    assert list(given["best_latency_s"]) == list(best["latency_s"])
    assert given.loc["conv1", "tile_oy"] == 1
    is_more = given["latency_s"] > given["best_latency_s"]
    assert list(given.index[is_more]) == ["conv1"]
    said = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    (beside,) = [text for name, text in said if name == "Given"]
    assert re.match(r"[\d.]+ .?s, [\d.]+ % above the [\d.]+ .?s of the best mappings; ", beside)
    assert [text.split(":")[0] for name, text in said if name == "Lost"] == ["conv1"]
    page = Path("given/report.html").read_text(encoding="utf-8")
    assert "The given mapping beside the best" in page
    assert "Mappings are as given" in page
    assert main([*machine, "hydra.run.dir=free"]) == 0
    assert not Path("free/given.csv").exists()
    assert "Given" not in capsys.readouterr().out
    assert "given mapping" not in Path("free/report.html").read_text(encoding="utf-8")


def test_a_rate_replaces_the_dram_part(home):
    assert main(["task=evaluate", "workload=tiny", "accelerator=flexible",
                 "accelerator.dram_bytes_per_s=1.0e9"]) == 0  # fmt: skip
    assert read_json(run_folder(home) / "summary.json")["dram_bytes_per_s"] == 1e9


def test_new_knobs_need_no_plus(home):
    assert main([*SMALL, "space.knobs.batch=[1,4]", "space.knobs.clock_hz=[5.0e8]"]) == 0
    designs = pd.read_parquet(run_folder(home) / "designs.parquet")
    assert sorted(designs["batch"].unique()) == [1, 4]
    assert designs["clock_hz"].unique().tolist() == [5e8]


def test_every_objective_rule_and_mapper(home):
    assert main([*SMALL, "objectives=[latency_s,energy_pj_per_inference]", "search=random",
                 "search.trials=4", "mapper.objective=dram_bytes", "pick.rule=weighted",
                 "pick.weights.latency_s=2", "seed=3"]) == 0  # fmt: skip
    pick = read_json(run_folder(home) / "pick.json")
    assert pick["rule"] == "weighted"
    assert read_json(run_folder(home) / "manifest.json")["seed"] == 3


def test_over_budget_everywhere_has_a_status_of_its_own(home, capsys):
    assert main([*SMALL, "budget.area_mm2=0.001"]) == 3
    folder = run_folder(home)
    front = pd.read_csv(folder / "front.csv")
    assert len(front) == 0
    assert {"array_rows", "area_mm2"} <= set(front)
    assert len(pd.read_csv(folder / "nearest.csv")) > 0
    assert not (folder / "pick.yaml").exists()
    out = capsys.readouterr().out
    assert "no design meets the budget" in out
    assert "misses area without DRAM interface by" in out


def test_a_pick_need_not_be_required(home, capsys):
    assert main([*SMALL, "budget.area_mm2=0.001", "pick.require=false"]) == 0
    assert "no design meets the budget" in capsys.readouterr().out


def test_a_node_and_a_part_by_name(home):
    one = ["task=evaluate", "workload=tiny", "technology=node16", "dram=lpddr5_6400_x32"]
    assert main(one) == 0
    chip = dse.load_accelerator("flexible", technology="node16", dram_part="lpddr5_6400_x32")
    expected = dse.evaluate(dse.load_workload("tiny"), chip)
    summary = read_json(run_folder(home) / "summary.json")
    assert (summary["area_mm2"], summary["latency_s"]) == (expected.area_mm2, expected.latency_s)


def test_a_part_takes_the_place_of_its_knob(home):
    small = [x for x in SMALL if "dram_part" not in x]
    assert main([*small, "dram=lpddr4x_4266_x16", "technology=node7"]) == 0
    designs = pd.read_parquet(run_folder(home) / "designs.parquet")
    assert designs["dram_part"].unique().tolist() == ["lpddr4x_4266_x16"]
    accelerator = read_json(run_folder(home) / "manifest.json")["config"]["accelerator"]
    assert accelerator["technology"] == "node7"


def test_all_knobs_are_replaced(home):
    knobs = "space.knobs={array_rows:{low:8,high:16,step:8},array_columns:16}"
    assert main(["workload=tiny", knobs, "search.trials=2", "budget=none"]) == 0
    designs = pd.read_parquet(run_folder(home) / "designs.parquet")
    assert designs["array_rows"].tolist() == [8, 16]
    assert "buffer_bytes" not in designs


AWKWARD = "jos\u00e9 (a=1), [b] it's ${x}"


def test_awkward_places(home, monkeypatch):
    place = home / AWKWARD
    place.mkdir()
    (place / "net {1}.yaml").write_text("name: odd\nlayers: [{name: a/b, k: 8, c: 8}]\n")
    monkeypatch.chdir(place)
    one = ["task=evaluate", "accelerator=flexible", "mapping.layers.a/b.tile.k=4"]
    assert main([*one, "workload.path=net {1}.yaml"]) == 0
    run = run_folder(place)
    assert pd.read_csv(run / "layers.csv").loc[0, "tile_k"] == 4
    monkeypatch.chdir(home)
    assert (
        main(
            [
                "task=compare",
                f"run=['{run.relative_to(home)}','{run}']".replace("it's", "it\\'s").replace(
                    "${", "\\${"
                ),
            ]
        )
        == 0
    )
    assert main([*one, f"workload.path={AWKWARD}/net {{1}}.yaml"]) == 0


def test_version(home, capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith(f"dse {dse.__version__} ")


def test_sweep_runs_every_combination(home):
    assert main(["-m", "task=evaluate", "workload=tiny,linear", "workload.batch=1,2"]) == 0
    summaries = [read_json(path) for path in sorted(home.glob("outputs/*/*-sweep/*/summary.json"))]
    assert [(x["workload"], x["batch"]) for x in summaries] == [
        ("tiny", 1),
        ("tiny", 2),
        ("linear", 1),
        ("linear", 2),
    ]


def test_pick_again_with_another_budget(home, searched):
    limit = float(pd.read_csv(searched / "front.csv")["area_mm2"].min())
    assert main(["task=pick", f"run={searched}", f"budget.area_mm2={limit}"]) == 0
    folder = run_folder(home)
    assert folder.name.endswith("-pick")
    after = read_json(folder / "pick.json")["design"]
    assert after["area_mm2"] <= limit
    designs = pd.read_parquet(folder / "designs.parquet")
    pd.testing.assert_frame_equal(
        designs.drop(columns="feasible"),
        pd.read_parquet(searched / "designs.parquet").drop(columns="feasible"),
    )
    assert read_json(folder / "manifest.json")["config"]["budget"]["area_mm2"] == limit


def test_pick_refuses_to_change_the_run(home, searched, capsys):
    assert main(["task=pick", f"run={searched}", "workload=alexnet"]) == 2
    assert "takes workload from its run" in capsys.readouterr().err


def test_report_is_written_again_in_place(drawing_home, searched):
    before = (searched / "report.html").read_bytes()
    (searched / "report.html").unlink()
    assert main(["task=report", f"run={searched}"]) == 0
    assert (searched / "report.html").read_bytes() == before
    assert not (drawing_home / "outputs").exists()


def test_compare_lays_runs_side_by_side(home, searched):
    assert main(["task=evaluate", "workload=tiny"]) == 0
    evaluated = run_folder(home)
    assert main(["task=compare", f"run=[{searched},{evaluated}]"]) == 0
    folder = run_folder(home, "*/*-compare")
    table = pd.read_csv(folder / "compare.csv")
    assert list(table["folder"]) == [str(searched), str(evaluated)]
    assert list(table["run"]) == ["flexible_pick", "flexible"]
    assert set(table["technology"]) == {"node28"}
    assert (folder / "plots" / "compare.svg").is_file()


def test_own_files(home):
    for group in ("workload", "accelerator"):
        (home / "my_conf" / group).mkdir(parents=True)
    network = home / "my_conf" / "workload" / "mine.yaml"
    network.write_text("name: mine\nbatch: 1\nlayers: [{name: fc, k: 64, c: 64}]\n")
    chip = "defaults: [flexible]\nname: mine\narray_rows: 4\n"
    (home / "my_conf" / "accelerator" / "mine.yaml").write_text(chip)
    named = ["task=evaluate", "--config-dir", "my_conf", "workload=mine", "accelerator=mine"]
    paths = ["task=evaluate", f"workload.path={network}", "workload.batch=1",
             "accelerator.path=my_conf/accelerator/mine.yaml"]  # fmt: skip
    for place, arguments in (("named", named), ("paths", paths)):
        assert main([*arguments, f"hydra.run.dir={place}"]) == 0
        summary = read_json(home / place / "summary.json")
        assert (summary["workload"], summary["accelerator"]) == ("mine", "mine")
    assert not (home / "outputs").exists()


def test_a_run_is_repeated_from_its_manifest(home, searched):
    command = read_json(searched / "manifest.json")["command"]
    assert main(command[1:]) == 0
    assert (run_folder(home) / "front.csv").read_bytes() == (searched / "front.csv").read_bytes()


@pytest.mark.parametrize("option", ["--help", "--info", "--hydra-help"])
def test_help(home, capsys, option):
    try:
        status = main([option])
    except SystemExit as stop:
        status = stop.code
    assert status == 0
    out = capsys.readouterr().out
    assert "resnet50" in out or option == "--hydra-help"
    assert not list(home.iterdir())


def test_show_config(home, capsys):
    assert main(["workload=alexnet", "workload.batch=8", "--cfg", "job"]) == 0
    out = capsys.readouterr().out
    assert "name: alexnet" in out
    assert "batch: 8" in out
    assert not list(home.iterdir())


def test_shell_completion(home, capsys, monkeypatch):
    monkeypatch.setenv("COMP_LINE", "dse workload=alex")
    assert main(["-sc", "query=bash"]) == 0
    assert "workload=alexnet" in capsys.readouterr().out


def test_interrupt_leaves_nothing(home, capsys, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dse.tasks.run_task", interrupt)
    assert main(SMALL) == 130
    assert capsys.readouterr().err == "dse: interrupted, nothing was written\n"
    assert not list(home.iterdir())


def test_a_request_to_terminate_leaves_nothing(home, monkeypatch):
    monkeypatch.setattr("dse.tasks.run_task", lambda *_: signal.raise_signal(signal.SIGTERM))
    assert main(SMALL) == 143
    assert not list(home.iterdir())


def test_a_defect_leaves_nothing_and_is_not_hidden(home, monkeypatch):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("dse.tasks.run_task", fail)
    with pytest.raises(ZeroDivisionError):
        main(SMALL)
    assert not list(home.iterdir())


def test_public_names():
    for name in dse.__all__:
        assert getattr(dse, name).__doc__, name
    assert dir(dse) == sorted(dse.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dse.nothing
