"""Wrong inputs: each gives one clear message, exit status 2, no traceback and no folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dse.cli import main

CHECKOUT = Path(__file__).parents[1]
ONE_CHIP = ["task=evaluate", "workload=tiny"]
NVDLA = [*ONE_CHIP, "accelerator=nvdla"]

WORKLOADS = {
    "twice": "name: twice\nlayers: [{name: fc, k: 8, c: 8}, {name: fc, k: 8, c: 8}]\n",
    "empty": "",
    "no_layers": "name: no_layers\nlayers: []\n",
    "list": "- name: list\n",
    "malformed": "name: [malformed\n",
    "two_keys": "name: a\nname: b\n",
    "cyclic": "name: cyclic\nbatch: ${.batch}\nlayers: [{name: fc, k: 8, c: 8}]\n",
    "defaults": "defaults: [defaults]\nname: defaults\nlayers: [{name: fc, k: 8, c: 8}]\n",
    "op": "name: op\nlayers: [{name: fc, op: convolve, k: 8, c: 8}]\n",
    "key": "name: key\nlayers: [{name: fc, K: 8, c: 8}]\n",
    "windows": "name: windows\nlayers: [{name: add, op: add, window_elements: 9}]\n",
    "small_input": (
        "name: small_input\n"
        "layers: [{name: c1, k: 64, c: 3, oy: 112, ox: 112, iy: 10, fy: 7, fx: 7, stride: 2}]\n"
    ),
    "big": "name: big\nlayers: [{name: fc, k: 64, c: 64, bits: {input: 4096, weight: 4096}}]\n",
}

WRONG = {
    # misspelt keys
    "key": (["sede=3"], ["sede=3", "did you mean 'seed'"]),
    "key in search": (["search.trial=10"], ["search.trial=10", "did you mean 'trials'"]),
    "key in pick": (["pick.rul=knee"], ["pick.rul=knee", "'rule'"]),
    "key in mapper": (["mapper.objectiv=dram_bytes"], ["'objective'"]),
    "key of the workload": ([*ONE_CHIP, "workload.btch=8"], ["'btch'", "'batch'"]),
    "key of the accelerator": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.bufer_bytes=1024"],
        ["'bufer_bytes'", "'buffer_bytes'"],
    ),
    "key of the accelerator of the space": (
        [*ONE_CHIP, "accelerator.bufer_bytes=1024"],
        ["'bufer_bytes'", "'buffer_bytes'"],
    ),
    "key below a value": (["seed.value=3"], ["seed", "'value'"]),
    "added key": (["+x=1"], ["no key 'x'"]),
    "key added to the task": (["+task.foo=1"], ["task has no key 'foo'"]),
    "key added to the import": (["+import.foo=1"], ["import has no key 'foo'"]),
    "no key": (["=3"], ["'=3'", "KEY=VALUE"]),
    "a number for a name": (["budget=4"], ["budget=4", "conf/budget"]),
    "a text for a node": (["pick=knee"], ["pick", "'knee'", "mapping"]),
    "setting of an import": (["import.copies=x"], ["import.copies", "'x'", "charged"]),
    "range upside down": (
        ["space.knobs.array_rows={low:8,high:4,step:1}"],
        ["space.knobs.array_rows.low = 8", "high = 4"],
    ),
    "hydra's own key": (["hydra.run.folder=x"], ["hydra.run", "'folder'"]),
    # misspelt names
    "group": (["worklod=alexnet"], ["worklod=alexnet", "did you mean 'workload'"]),
    "workload": (["workload=resnet5"], ["'resnet5'", "did you mean 'resnet50'"]),
    "accelerator": ([*ONE_CHIP, "accelerator=snowflak"], ["'snowflak'", "'snowflake'"]),
    "space": (["space=edg"], ["'edg'", "'edge'"]),
    "space in a sweep": (["-m", "space=edge,edg"], ["'edg'", "'edge'"]),
    "budget": (["budget=edg"], ["'edg'", "'edge'"]),
    "task": (["task=serch"], ["'serch'", "'search'"]),
    "search": (["search=nsga"], ["'nsga'", "did you mean 'nsga"]),
    "sampler": (["search.sampler=nsga4"], ["search.sampler", "'nsga4'"]),
    "accelerator of the space": (["space.accelerator=flexibel"], ["'flexibel'", "'flexible'"]),
    "pick rule": (["pick.rule=kne"], ["pick.rule", "'kne'", "'knee'"]),
    "mapper objective": (["mapper.objective=latency"], ["mapper.objective", "'latency_s'"]),
    "DRAM part": (
        [*ONE_CHIP, "accelerator.dram_part=lpddr4_3200_x31"],
        ["'lpddr4_3200_x31'", "lpddr4_3200_x32"],
    ),
    "DRAM part of a knob": (["space.knobs.dram_part=[ddr9]"], ["dram_part", "'ddr9'"]),
    "technology": ([*ONE_CHIP, "accelerator.technology=node29"], ["'node29'", "node28"]),
    # negative, zero, NaN, infinite, text, fractions
    "negative buffer": ([*ONE_CHIP, "accelerator.buffer_bytes=-1"], ["buffer_bytes", "-1"]),
    "zero rows": ([*ONE_CHIP, "accelerator.array_rows=0"], ["array_rows", "0"]),
    "NaN clock": ([*ONE_CHIP, "accelerator.clock_hz=nan"], ["clock_hz", "nan"]),
    "infinite rate": ([*ONE_CHIP, "accelerator.dram_bytes_per_s=inf"], ["dram_bytes_per_s", "inf"]),
    "infinite budget": (["budget.area_mm2=inf"], ["budget.area_mm2", "inf"]),
    "NaN budget": (["budget.area_mm2=nan"], ["budget.area_mm2", "nan"]),
    "negative budget": (["budget.power_w=-2"], ["budget.power_w", "-2"]),
    "text for a budget": (["budget.area_mm2=small"], ["budget.area_mm2", "'small'"]),
    "text for trials": (["search.trials=many"], ["trials", "'many'"]),
    "zero trials": (["search.trials=0"], ["trials", "0"]),
    "text for the seed": (["seed=lucky"], ["seed", "'lucky'"]),
    "negative seed": (["seed=-1"], ["seed", "-1"]),
    "zero batch": ([*ONE_CHIP, "workload.batch=0"], ["batch", "0"]),
    "half a batch": ([*ONE_CHIP, "workload.batch=1.5"], ["batch", "1.5"]),
    "half a row in a knob": (["space.knobs.array_rows=[8.5]"], ["array_rows", "8.5"]),
    "negative knob": (["space.knobs.buffer_bytes=[-65536]"], ["buffer_bytes", "-65536"]),
    "efficiency above one": ([*ONE_CHIP, "accelerator.dram.efficiency=1.5"], ["efficiency", "1.5"]),
    "negative weight": (
        ["pick.rule=weighted", "pick.weights.area_mm2=-1"],
        ["pick.weights.area_mm2", "-1"],
    ),
    # wrong units
    "budget without unit": (["budget.area=4"], ["budget.area", "did you mean 'area_mm2'"]),
    "budget in other unit": (["budget.power_mw=4"], ["budget.power_mw", "'power_w'"]),
    "buffer in KiB": ([*ONE_CHIP, "accelerator.buffer_kib=128"], ["'buffer_kib'"]),
    "buffer as text": ([*ONE_CHIP, "accelerator.buffer_bytes=128KiB"], ["buffer_bytes", "128KiB"]),
    "clock as text": ([*ONE_CHIP, "accelerator.clock_hz=1GHz"], ["clock_hz", "1GHz"]),
    # what does not exist or cannot be
    "objective": (["objectives=[latency_s,speed]"], ["objectives", "'speed'"]),
    "slack below 0": (["mapper.slack=-0.01"], ["mapper.slack", "0 to 10", "-0.01"]),
    "slack as text": (["mapper.slack=much"], ["mapper.slack", "'much'"]),
    "slack as percent": (["mapper.slack=20"], ["mapper.slack", "0 to 10"]),
    "one objective": (["objectives=[latency_s]"], ["objectives", "two to four"]),
    "an objective twice": (["objectives=[latency_s,latency_s]"], ["objectives"]),
    "objectives as text": (["objectives=latency_s"], ["objectives", "list"]),
    "budget on nothing": (["budget.happiness=1"], ["budget.happiness"]),
    "empty knob": (["space.knobs.array_rows=[]"], ["array_rows", "at least one value"]),
    "knob value twice": (["space.knobs.array_rows=[8,8]"], ["array_rows", "8"]),
    "empty space": (["space.knobs=null"], ["knobs"]),
    "unknown knob": (["space.knobs.colour=[1]"], ["colour"]),
    "weight on no objective": (
        ["pick.rule=weighted", "pick.weights.speed=1"],
        ["pick.weights", "'speed'"],
    ),
    "an addition that is neither fused nor apart": (
        [*ONE_CHIP, "accelerator=nvdla", "accelerator.additions_are_fused=3"],
        ["additions_are_fused", "3", "true or false"],
    ),
    "operand kept": (
        [*NVDLA, "accelerator.schedule.kept=larger"],
        ["schedule.kept", "'larger'", "smaller, input, weight"],
    ),
    "key of a schedule": (
        [*NVDLA, "accelerator.schedule.kep=input"],
        ["schedule has no key 'kep'", "did you mean 'kept'"],
    ),
    "least of a schedule": (
        [*NVDLA, "accelerator.schedule.least.input=all"],
        ["schedule.least.input", "'all'", "'filter'"],
    ),
    "share of a schedule": (
        [*NVDLA, "accelerator.schedule.least_share.weight=1.5"],
        ["schedule.least_share.weight", "1.5", "at most 1"],
    ),
    "granule of a schedule": (
        [*NVDLA, "accelerator.schedule.granule={weight:0}"],
        ["schedule.granule.weight", "0"],
    ),
    "multiple of no channels": (
        [*NVDLA, "accelerator.schedule.multiples.cycles.oy=4"],
        ["schedule.multiples.cycles", "'oy'", "c, k"],
    ),
    "half a Winograd": (
        [*NVDLA, "accelerator.schedule.winograd.outputs=null"],
        ["schedule.winograd", "'outputs'"],
    ),
    "double buffering of a schedule": (
        [*NVDLA, "accelerator.transfers=double_buffered"],
        ["transfers", "'double_buffered'", "overlapped or serial"],
    ),
    "fill of a schedule": ([*NVDLA, "accelerator.fill_cycles=3"], ["fill_cycles", "3"]),
    "buffers of a schedule": (
        [
            *(*ONE_CHIP, "accelerator=snowflake", "accelerator.transfers=serial"),
            "accelerator.schedule={kept:input}",
        ],
        ["buffers must hold input and weight in one buffer"],
    ),
    "mapping beside a schedule": (
        [*NVDLA, "mapping.tile.k=4"],
        ["mapping must be empty", "accelerator.schedule=null"],
    ),
    "a granule too large to count": (
        [*NVDLA, "accelerator.schedule.granule.weight=5000000000000000"],
        ["accelerator 'nvdla'.schedule", "layer 'conv1'", "too many to count exactly"],
    ),
    "a granule larger than any number": (
        [*NVDLA, "accelerator.schedule.granule.weight=5000000000000000000"],
        ["schedule.granule.weight", "at most 2^53"],
    ),
    "fill too long to count": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.fill_cycles=100000000000"],
        ["fill_cycles = 100000000000", "'conv1'", "too many to count exactly"],
    ),
    "weight granules too large to count": (
        [
            *(*ONE_CHIP, "accelerator=flexible"),
            "accelerator.weight_granules=[{size:1000000000000,loops:[c]}]",
        ],
        ["weight_granules", "'conv1'", "too many bits to count exactly"],
    ),
    "a bus wider than any number": (
        [*ONE_CHIP, "accelerator=flexible", f"accelerator.array_bits_per_cycle.weight={10**21}"],
        ["array_bits_per_cycle.weight", "at most 2^53", "1000000000000000000000"],
    ),
    "a buffer larger than any number": (
        [*ONE_CHIP, "accelerator=flexible", f"accelerator.buffer_bytes={10**21}"],
        ["buffer_bytes", "at most 2^53"],
    ),
    "an array larger than any number": (
        [
            *ONE_CHIP,
            "accelerator=flexible",
            f"accelerator.array_rows={2**40}",
            f"accelerator.array_columns={2**40}",
        ],
        ["array must have at most 2^53"],
    ),
    "a clock out of this world": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.clock_hz=1e300"],
        ["clock_hz", "from 1e-30 to 1e+30", "1e+300"],
    ),
    "a launch without end": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.launch_s=1e300"],
        ["launch_s", "1e+300"],
    ),
    "an axis that a mapping may not change": (
        [
            *(*ONE_CHIP, "accelerator=flexible", "accelerator.constraints.unrolled=[c,null]"),
            "mapping.unrolled=[oy,k]",
        ],
        ["mapping.unrolled", "axis 0", "'flexible'", "must unroll [c]", "got [oy]"],
    ),
    "an item that a list has not": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.array.5.size=3"],
        ["accelerator.array.5.size=3", "accelerator.array has 2 items", "got 5"],
    ),
    "an unknown key within braces": (
        ["pick={rule:knee,foo:1}"],
        ["pick has no key 'foo'", "rule"],
    ),
    "an unknown key above": (["mappings.tile.oy=7"], ["no key 'mappings'", "'mapping'"]),
    "null for a name": (["budget=null"], ["budget=null", "conf/budget"]),
    "a loop that is none within braces": (
        [*ONE_CHIP, "mapping={tile:{oz:7}}"],
        ["mapping.tile has no key 'oz'"],
    ),
    "kilobyte": ([*NVDLA, "accelerator.dram.kilobyte_bytes=1025"], ["1000 or 1024", "1025"]),
    "negative launch": (
        [*ONE_CHIP, "accelerator=snowflake", "accelerator.launch_s=-1e-6"],
        ["launch_s", "-1e-06", "0 or more"],
    ),
    "no rate of pooling": (
        [*ONE_CHIP, "accelerator=snowflake", "accelerator.pooling_elements_per_cycle=0"],
        ["pooling_elements_per_cycle", "above 0"],
    ),
    "windows of no pooling": (
        [*ONE_CHIP, "workload.path=conf/workload/windows.yaml"],
        ["'add'", "'window_elements'"],
    ),
    "pooling that is neither fused nor apart": (
        [*ONE_CHIP, "accelerator=snowflake", "accelerator.pooling_is_fused=max"],
        ["pooling_is_fused", "'max'", "true or false"],
    ),
    "pooling fused by a mapping alone": (
        [*ONE_CHIP, "accelerator=flexible", "mapping.pooling_is_fused=true"],
        ["mapping.pooling_is_fused", "'flexible' does not pool before it writes"],
    ),
    "mapping that cannot fit": (
        [*ONE_CHIP, "workload.path=conf/workload/big.yaml", "accelerator.buffer_bytes=64"],
        ["fc"],
    ),
    # something else than was asked
    "several networks": (["workload=[alexnet,tiny]"], ["workload=[alexnet,tiny]", "a demand"]),
    "several spaces": (["space=[edge,nvdla]"], ["space", "one name", "-m space=edge,nvdla"]),
    "several machines": (
        [*ONE_CHIP, "accelerator=[systolic,dpu]"],
        ["accelerator", "one name", "-m accelerator=systolic,dpu"],
    ),
    "several searches": (["search=[null]"], ["search=[null]", "one name"]),
    "several budgets": (["+budget=[edge,none]"], ["budget", "one name"]),
    "several tasks": (["task=[0]"], ["task=[0]", "one name"]),
    "several nodes": (["technology=[node16,node7]"], ["technology", "one name"]),
    "several parts": (["dram=[hbm2,hbm3]"], ["dram", "one name"]),
    "several mappings": (["mapping=[free]"], ["mapping", "one name"]),
    "no network": (["workload="], ["workload=", "conf/workload", "got none"]),
    "a network at another place": (["workload@space=tiny"], ["workload", "its own place"]),
    "a file for a name": (["workload=nets/a.onnx"], ["workload.path=nets/a.onnx"]),
    "a file for a machine": ([*ONE_CHIP, "accelerator=a/b.yaml"], ["accelerator.path=a/b.yaml"]),
    "a space elsewhere": (["space=../edge"], ["space=../edge", "got a path"]),
    "resume": (["run=outputs/any"], ["task=search", "run", "task=pick"]),
    "resume with a task": (["task=search", "run=outputs/any"], ["task=search", "run"]),
    "a machine that the knobs do not turn": (
        ["space=nvdla", "accelerator=systolic"],
        ["'systolic'", "macs = 32", "would change nothing"],
    ),
    "node": (["technology=node17"], ["'node17'", "'node7'"]),
    "part": (["dram=lpddr5_6400_x31"], ["'lpddr5_6400_x31'", "lpddr5_6400_x32"]),
    "node twice": (
        [*ONE_CHIP, "technology=node16", "accelerator.technology=node7"],
        ["technology=node16", "accelerator.technology", "both given"],
    ),
    "part twice": (
        [*ONE_CHIP, "dram=hbm2", "accelerator.dram_part=hbm3"],
        ["dram=hbm2", "accelerator.dram_part", "both given"],
    ),
    "part and its knob": (
        ["dram=hbm2", "space.knobs.dram_part=[hbm2,hbm3]"],
        ["space.knobs.dram_part", "leave one out"],
    ),
    "value of a node": ([*ONE_CHIP, "technology=node16", "technology.mac_pj.value=-1"], ["mac_pj"]),
    "key of a node": ([*ONE_CHIP, "technology=node16", "technology.mac=1"], ["'mac'"]),
    "required neither": (["pick.require=maybe"], ["pick.require", "true or false", "'maybe'"]),
    # keys that the task does not read
    "budget of one machine": (
        [*ONE_CHIP, "budget.area_mm2=4"],
        ["task=evaluate", "does not read budget.area_mm2"],
    ),
    "budgets of one machine": ([*ONE_CHIP, "budget=mobile"], ["does not read budget"]),
    "trials of one machine": ([*ONE_CHIP, "search.trials=4"], ["does not read search.trials"]),
    "sampler of one machine": ([*ONE_CHIP, "search.sampler=[]"], ["does not read search.sampler"]),
    "search of one machine": ([*ONE_CHIP, "search=random"], ["does not read search"]),
    "objectives of one machine": (
        [*ONE_CHIP, "objectives=[latency_s,area_mm2]"],
        ["does not read objectives"],
    ),
    "pick of one machine": ([*ONE_CHIP, "pick.rule=knee"], ["does not read pick.rule"]),
    "run of one machine": ([*ONE_CHIP, "run=outputs/x"], ["does not read run"]),
    "knob of one machine": (
        [*ONE_CHIP, "space.knobs.batch={_target_:os.system}"],
        ["does not read space.knobs.batch"],
    ),
    "space beside a machine": (
        [*ONE_CHIP, "accelerator=flexible", "space=nvdla"],
        ["does not read space"],
    ),
    "import of a name": ([*ONE_CHIP, "import.strict=true"], ["does not read import.strict"]),
    "import of a name that is searched": (
        ["workload=tiny", "import.copies=charged"],
        ["task=search", "import.copies"],
    ),
    "machine of an import": (
        ["task=import", "workload=tiny", "accelerator=flexible"],
        ["task=import", "does not read accelerator"],
    ),
    "batch of a report": (["task=report", "run=x", "workload.batch=2"], ["workload.batch"]),
    "budget of a report": (["task=report", "run=x", "budget.power_w=2"], ["budget.power_w"]),
    "pick of a comparison": (["task=compare", "run=[x,y]", "pick.rule=knee"], ["pick.rule"]),
    "mapper of a pick": (["task=pick", "run=x", "mapper.objective=edp"], ["task=pick", "mapper"]),
    # what cannot be
    "nothing carried": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.dram.carries=[]"],
        ["'flexible'", "dram.carries", "input, weight, output", "too few"],
    ),
    "maps that do not fit": (
        ["task=evaluate", "workload=vgg16", "workload.batch=128", "accelerator=tpu_v1"],
        ["'conv1_2'", "'tpu_v1'", "822,083,584 bytes", "792,723,456 too few"],
    ),
    "a clock too fast": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.clock_hz=1e10"],
        ["clock_hz", "at most 4.3e+09", "node28", "technology.max_clock_hz", "1e+10"],
    ),
    "a clock of a knob too fast": (
        ["space.knobs.clock_hz=[5e8,1e10]"],
        ["clock_hz", "at most 4.3e+09", "node28", "1e+10"],
    ),
    "a clock too fast on one of the nodes": (
        ["space.knobs.clock_hz=[5e8,5e9]", "space.knobs.technology=[node16,node28]"],
        ["clock_hz", "node28", "5e+09"],
    ),
    "an input too small": (
        [*ONE_CHIP, "workload.path=conf/workload/small_input.yaml"],
        ["'c1'.iy", "at least 223", "got 10", "oy = 112"],
    ),
    "an objective of no mapper": (
        [*NVDLA, "mapper.objective=dram_bytes"],
        ["mapper.objective = dram_bytes", "would change nothing", "accelerator.schedule=null"],
    ),
    "a slack of no mapper": (
        ["space=nvdla", "mapper.slack=0.1"],
        ["mapper.slack = 0.1", "would change nothing", "'nvdla'"],
    ),
    "stationarity of no mapper": (
        [*NVDLA, "accelerator.stationarity=[input]"],
        ["accelerator.stationarity = ['input']", "would change nothing", "schedule"],
    ),
    "a pass of no mapper": (
        [*NVDLA, "accelerator.held_in_array=output"],
        ["accelerator.held_in_array = output", "would change nothing"],
    ),
    "constraints of no mapper": (
        [*NVDLA, "accelerator.constraints.min_tile.c=3"],
        ["accelerator.constraints.min_tile.c = 3", "would change nothing"],
    ),
    # one group, one name
    "one network in a list": (["workload=[resnet50]"], ["workload=[resnet50]", "one name"]),
    "no network in a list": (["workload=[]"], ["workload=[]", "one name"]),
    "one machine in a list": ([*ONE_CHIP, "accelerator=[flexible]"], ["accelerator", "one name"]),
    "two budgets": (["budget=[mobile,edge]"], ["budget=[mobile,edge]", "-m budget=mobile,edge"]),
    "two tasks": (["task=[search,evaluate]"], ["task=[search,evaluate]", "one name"]),
    "one part in a list": (["dram=[hbm2]"], ["dram=[hbm2]", "one name"]),
    "no node in a list": (["technology=[]"], ["technology=[]", "one name"]),
    "two searches": (["search=[random,tpe]"], ["search=[random,tpe]", "-m search=random,tpe"]),
    "machines without -m": (["accelerator=flexible,nvdla"], ["accelerator=flexible,nvdla", "-m"]),
    "spaces without -m": (["space=edge,nvdla"], ["space=edge,nvdla", "-m"]),
    "nodes without -m": (["technology=node16,node7"], ["technology=node16,node7", "-m"]),
    # a run for a task that takes none
    "a list of runs to search": (["run=[outputs/a]"], ["task=search", "run", "task=pick"]),
    "a run of an import": (["task=import", "workload=tiny", "run=x"], ["task=import", "run"]),
    "runs of one machine": ([*ONE_CHIP, "run=[a,b]"], ["task=evaluate", "does not read run"]),
    "two runs to pick from": (["task=pick", "run=[a,b]"], ["one finished run", "['a', 'b']"]),
    "one run to compare": (["task=compare", "run=x"], ["two or more", "'x'"]),
    "no run to compare": (["task=compare"], ["two or more", "got None"]),
    # further keys that the task does not read
    "order of one machine": ([*ONE_CHIP, "pick.order=[latency_s]"], ["does not read pick.order"]),
    "weights of one machine": (
        [*ONE_CHIP, "pick.weights.latency_s=1"],
        ["does not read pick.weights.latency_s"],
    ),
    "requirement of one machine": ([*ONE_CHIP, "pick.require=false"], ["pick.require"]),
    "limit of one machine": ([*ONE_CHIP, "search.enumerate_limit=3"], ["search.enumerate_limit"]),
    "options of one machine": (
        [*ONE_CHIP, "search.options.batch_size=3"],
        ["does not read search.options.batch_size"],
    ),
    "progress of one machine": ([*ONE_CHIP, "search.progress=false"], ["search.progress"]),
    "no budget of one machine": ([*ONE_CHIP, "budget=none"], ["does not read budget"]),
    "deadline of one machine": ([*ONE_CHIP, "budget.latency_s=1"], ["budget.latency_s"]),
    "buffers of one machine": (
        [*ONE_CHIP, "space.knobs.buffer_bytes=[65536]"],
        ["task=evaluate", "does not read space.knobs.buffer_bytes"],
    ),
    "name of a space of one machine": ([*ONE_CHIP, "space.name=x"], ["space.name"]),
    "slack of an import": (["task=import", "workload=tiny", "mapper.slack=0"], ["mapper.slack"]),
    "budget of an import": (["task=import", "workload=tiny", "budget.power_w=1"], ["budget"]),
    "trials of an import": (["task=import", "workload=tiny", "search.trials=4"], ["search.trials"]),
    "space of an import": (["task=import", "workload=tiny", "space=nvdla"], ["space"]),
    "node of an import": (["task=import", "workload=tiny", "technology=node7"], ["technology"]),
    "part of an import": (["task=import", "workload=tiny", "dram=hbm2"], ["does not read dram"]),
    "mapping of an import": (["task=import", "workload=tiny", "mapping.tile.k=4"], ["mapping"]),
    "pick of an import": (["task=import", "workload=tiny", "pick.rule=knee"], ["pick.rule"]),
    "slack of a report": (["task=report", "run=x", "mapper.slack=0"], ["mapper.slack"]),
    "node of a report": (["task=report", "run=x", "technology=node7"], ["technology"]),
    "network of a report": (["task=report", "run=x", "workload=tiny"], ["workload"]),
    "machine of a report": (["task=report", "run=x", "accelerator=nvdla"], ["accelerator"]),
    "trials of a report": (["task=report", "run=x", "search.trials=3"], ["search.trials"]),
    "network of a comparison": (["task=compare", "run=[x,y]", "workload=tiny"], ["workload"]),
    "budget of a comparison": (["task=compare", "run=[x,y]", "budget=mobile"], ["budget"]),
    "slack of a comparison": (["task=compare", "run=[x,y]", "mapper.slack=0"], ["mapper.slack"]),
    "space of a comparison": (["task=compare", "run=[x,y]", "space=nvdla"], ["space"]),
    "network of a pick": (["task=pick", "run=x", "workload=tiny"], ["takes workload from its run"]),
    "buffer of a pick": (
        ["task=pick", "run=x", "accelerator.buffer_bytes=4096"],
        ["task=pick", "got accelerator.buffer_bytes"],
    ),
    "space of a pick": (["task=pick", "run=x", "space=nvdla"], ["takes space from its run"]),
    "part of a pick": (["task=pick", "run=x", "dram=hbm2"], ["takes dram from its run"]),
    "trials of a pick": (["task=pick", "run=x", "search.trials=4"], ["got search.trials"]),
    "import of a pick": (["task=pick", "run=x", "import.strict=true"], ["got import.strict"]),
    # a machine that is not that of the space
    "an array for macs": (["space=nvdla", "accelerator=flexible"], ["'flexible'", "macs = 32"]),
    "a fixed array for macs": (["space=nvdla", "accelerator=tpu_v1"], ["'tpu_v1'", "macs = 32"]),
    "macs for an array": (["space=edge", "accelerator=nvdla"], ["'nvdla'", "array_rows = 8"]),
    "macs for a large array": (
        ["space=datacentre", "accelerator=nvdla"],
        ["'nvdla'", "array_rows = 64", "would change nothing"],
    ),
    # nodes and parts
    "a node and its knob": (
        ["technology=node16", "space.knobs.technology=[node16,node7]"],
        ["space.knobs.technology", "leave one out"],
    ),
    "a value of no node": (["technology.mac_pj.value=1"], ["technology.mac_pj", "technology=NAME"]),
    "a value of no part": (["dram.usd.value=3"], ["dram.usd.value=3", "dram=NAME"]),
    "a rate below 0": ([*ONE_CHIP, "dram=hbm2", "dram.bytes_per_s=-1"], ["bytes_per_s", "-1"]),
    "a rate as text": (
        [*ONE_CHIP, "dram=hbm2", "dram.bytes_per_s=fast"],
        ["bytes_per_s", "'fast'"],
    ),
    "a key of a part": ([*ONE_CHIP, "dram=hbm2", "dram.burst=3"], ["'burst'", "'burst_bytes'"]),
    "an efficiency of a part": ([*ONE_CHIP, "dram=hbm2", "dram.efficiency=0.5"], ["'efficiency'"]),
    "a node of no size": ([*ONE_CHIP, "technology=node16", "technology.node_nm=0"], ["node_nm"]),
    "a range of one number": (
        [*ONE_CHIP, "technology=node16", "technology.area_fit_macs=[5]"],
        ["area_fit_macs", "[least, most]", "[5]"],
    ),
    "a fastest clock below 0": (
        [*ONE_CHIP, "technology=node28", "technology.max_clock_hz.value=-1"],
        ["max_clock_hz.value", "-1"],
    ),
    "a fastest clock without a source": (
        [*ONE_CHIP, "technology=node28", "technology.max_clock_hz=3e9"],
        ["max_clock_hz", "value, low, high, source, date"],
    ),
    "a fastest clock beyond its range": (
        [*ONE_CHIP, "technology=node28", "technology.max_clock_hz.high=1"],
        ["max_clock_hz", "low <= value <= high"],
    ),
    "a clock of a range too fast": (
        ["space.knobs.clock_hz={low:1e9,high:1e10,num:5}"],
        ["clock_hz", "4.3e+09", "1e+10"],
    ),
    "a clock too fast for an old node": (
        [*ONE_CHIP, "technology=node65", "accelerator.clock_hz=5.1e9"],
        ["clock_hz", "5e+09", "node65", "5.1e+09"],
    ),
    # what the DRAM carries
    "one carried as text": (
        [*ONE_CHIP, "accelerator.dram.carries=weight"],
        ["dram.carries", "list of names", "'weight'"],
    ),
    "carried twice": (
        [*ONE_CHIP, "accelerator.dram.carries=[weight,weight]"],
        ["dram.carries", "each operand once"],
    ),
    "carried misspelt": ([*ONE_CHIP, "accelerator.dram.carries=[weights]"], ["'weights'"]),
    "weights that do not fit": (
        [*ONE_CHIP, "accelerator.dram.carries=[input,output]", "accelerator.buffer_bytes=4096"],
        ["weight (dram.carries)", "2,057,984 bytes", "2,053,888 too few"],
    ),
    "maps that do not fit a small buffer": (
        [*ONE_CHIP, "accelerator.dram.carries=[weight]", "accelerator.buffer_bytes=4096"],
        ["'dw'", "input, output (dram.carries)", "1,601,536 too few"],
    ),
    # odd values
    "a removed key": (["~seed"], ["~seed", "can be removed"]),
    "a removed group": (["~budget"], ["~budget", "budget=none"]),
    "a removed task": (["~task=search"], ["~task", "can be removed"]),
    "a budget of 400 digits": ([f"budget.area_mm2={10**400}"], ["budget.area_mm2", "300 digits"]),
    "a clock of 5,000 digits": (
        [*ONE_CHIP, f"accelerator.clock_hz={'9' * 5000}"],
        ["accelerator.clock_hz", "300 digits"],
    ),
    "a seed of 400 digits": ([f"seed={10**400}"], ["seed", "300 digits"]),
    "a mapping for a rule": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.held_in_array={}"],
        ["held_in_array"],
    ),
    "a list for a rule": (
        [*ONE_CHIP, "accelerator=flexible", "accelerator.transfers=[]"],
        ["transfers"],
    ),
    "verbosity of Hydra": (["hydra.verbose={a:1}"], ["hydra.verbose", "{a:1}"]),
    "options of a search": (["search.options=0"], ["search.options", "0"]),
    "a batch beyond bounds": (["search=random", "search.options.batch_size=1000000"], ["batch"]),
    "a path with a sign": ([*ONE_CHIP, "workload.path=jos\u00e9/n=1.yaml"], ["jos\u00e9/n=1.yaml"]),
    "a path with brackets": ([*ONE_CHIP, "workload.path=a (b), [c].yaml"], ["a (b), [c].yaml"]),
    "a path with quotes": ([*ONE_CHIP, "workload.path=it's.yaml"], ["it's.yaml"]),
    "a path with an interpolation": ([*ONE_CHIP, "workload.path=${x}/n.yaml"], ["${x}/n.yaml"]),
    "a layer with a slash": (
        [*ONE_CHIP, "accelerator=flexible", "mapping.layers.block/conv.tile.k=4"],
        ["'block/conv'"],
    ),
    "the name of another configuration": (["--config-name=other"], ["--config-name"]),
    "another configuration": (["--config-path", "conf"], ["--config-path", "--config-dir"]),
    "places of configurations": (["hydra.searchpath=[conf]"], ["hydra.searchpath", "--config-dir"]),
    # files
    "no such file": ([*ONE_CHIP, "workload.path=none.yaml"], ["'none.yaml'"]),
    "a folder for a file": ([*ONE_CHIP, "workload.path=conf.yaml"], ["'conf.yaml'"]),
    "other kind of file": (
        [*ONE_CHIP, "workload.path=network.h5"],
        ["workload.path", "'network.h5'"],
    ),
    "layer twice": ([*ONE_CHIP, "workload.path=conf/workload/twice.yaml"], ["unique", "'fc'"]),
    "empty file": ([*ONE_CHIP, "workload.path=conf/workload/empty.yaml"], ["empty"]),
    "no layers": ([*ONE_CHIP, "workload.path=conf/workload/no_layers.yaml"], ["layers"]),
    "a list": ([*ONE_CHIP, "workload.path=conf/workload/list.yaml"], ["mapping"]),
    "malformed": ([*ONE_CHIP, "workload.path=conf/workload/malformed.yaml"], ["malformed.yaml"]),
    "malformed in --config-dir": (
        [*ONE_CHIP, "--config-dir=conf", "workload=malformed"],
        ["malformed.yaml"],
    ),
    "key twice": ([*ONE_CHIP, "workload.path=conf/workload/two_keys.yaml"], ["name"]),
    "cyclic interpolation": ([*ONE_CHIP, "workload.path=conf/workload/cyclic.yaml"], ["batch"]),
    "cyclic interpolation in --config-dir": (
        [*ONE_CHIP, "--config-dir=conf", "workload=cyclic"],
        ["batch", "ecursi"],
    ),
    "cyclic defaults": ([*ONE_CHIP, "workload.path=conf/workload/defaults.yaml"], ["back"]),
    "cyclic defaults in --config-dir": (
        [*ONE_CHIP, "--config-dir=conf", "workload=defaults"],
        ["defaults"],
    ),
    "unknown op": ([*ONE_CHIP, "workload.path=conf/workload/op.yaml"], ["'convolve'"]),
    "unknown loop": ([*ONE_CHIP, "workload.path=conf/workload/key.yaml"], ["'K'"]),
    "binary file": ([*ONE_CHIP, "workload.path=binary.yaml"], ["binary.yaml"]),
    "interpolation of nothing": (["seed=${sede}"], ["sede"]),
    "--config-dir": (["--config-dir=nowhere"], ["nowhere"]),
    # syntax
    "no value": (["seed"], ["'seed'", "KEY=VALUE"]),
    "open bracket": (["objectives=[latency_s"], ["objectives=[latency_s", "KEY=VALUE"]),
    "a sweep without -m": (["workload=alexnet,resnet50"], ["workload=alexnet,resnet50", "-m"]),
    # run folders
    "pick without a run": (["task=pick"], ["task=pick", "run="]),
    "pick from nothing": (["task=pick", "run=outputs/nothing"], ["outputs/nothing"]),
    "pick from another folder": (["task=pick", "run=conf"], ["manifest.json", "'conf'"]),
    "pick from a broken run": (["task=pick", "run=broken"], ["manifest.json"]),
    "report of nothing": (["task=report", "run=nowhere"], ["nowhere"]),
    "compare one": (["task=compare", "run=[conf]"], ["two or more"]),
    "a number for a run": (["task=pick", "run=3"], ["run", "3"]),
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a working directory with the files that the table names."""
    workloads = tmp_path / "conf" / "workload"
    workloads.mkdir(parents=True)
    for name, text in WORKLOADS.items():
        (workloads / f"{name}.yaml").write_text(text)
    (tmp_path / "conf.yaml").mkdir()
    (tmp_path / "network.h5").touch()
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x81" * 8)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text("{")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    return tmp_path


@pytest.mark.parametrize(("arguments", "named"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input_gives_one_message(home, capsys, arguments, named):
    before = files(home)
    assert main(arguments) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.count("\n") == 1, streams.err
    assert streams.err.startswith("dse: ")
    assert "Traceback" not in streams.err
    for part in named:
        assert part in streams.err
    assert files(home) == before


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["key", "workload", "negative buffer", "malformed"])
def test_wrong_input_to_the_program(home, name):
    arguments, named = WRONG[name]
    before = files(home)
    run = subprocess.run(
        [sys.executable, "-m", "dse", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert all(part in run.stderr for part in named)
    assert files(home) == before


def test_one_failed_job_does_not_stop_a_sweep(home, capsys):
    status = main(["-m", *ONE_CHIP, "accelerator.buffer_bytes=131072,-1,262144"])
    streams = capsys.readouterr()
    assert status == 2
    assert streams.err.count("\n") == 1
    assert streams.err.startswith(
        "dse: job 1 (task=evaluate workload=tiny accelerator.buffer_bytes=-1): "
    )
    summaries = sorted(path.parent.name for path in home.glob("outputs/*/*/*/summary.json"))
    assert summaries == ["0", "2"]
    assert not list(home.glob("outputs/*/*/1"))


def test_developers_see_the_traceback(home, capsys, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    assert main([*ONE_CHIP, "accelerator.buffer_bytes=-1"]) == 2
    assert "Traceback" in capsys.readouterr().err
