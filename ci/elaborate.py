"""Elaborates the RTL with the slang front end of Yosys, as a synthesis tool would, and checks it.

    python3 ci/elaborate.py rtl/supernode.f TOP [Parameter=value ...]

Fails when slang or Yosys warns, or when the netlist has a combinational loop, a latch, or a net
with no driver or several.
"""

import subprocess
import sys

from pyosys import libyosys as yosys


def elaborate(file_list, top, parameters):
    """Reads and checks the design; Yosys ends the process at the first error."""
    settings = " ".join(f"-G {parameter}" for parameter in parameters)
    design = yosys.Design()
    for command in (
        f"read_slang --top {top} {settings} -F {file_list}",
        f"hierarchy -check -top {top}",
        "proc -noopt",
        "check -assert",
        "select -assert-none t:$dlatch",
    ):
        yosys.run_pass(command, design)


def main(arguments):
    # In a process of its own, since slang and Yosys write past Python's streams.
    run = subprocess.run(
        [sys.executable, __file__, "--in-process", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if run.returncode or "warning:" in run.stdout.lower():
        sys.exit(f"{run.stdout}\nelaborate: {' '.join(arguments)} is not clean")


if __name__ == "__main__":
    if sys.argv[1] == "--in-process":
        elaborate(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        main(sys.argv[1:])
