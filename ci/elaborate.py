"""Elaborates the RTL with the slang front end of Yosys, as a synthesis tool would, and checks it.

    python3 ci/elaborate.py rtl/supernode.f TOP [Parameter=value ...]

Exits with 1 when slang or Yosys has a warning or an error, or when the netlist has a
combinational loop, a latch, or a net with no driver or several.
"""

import os
import sys
import tempfile

from pyosys import libyosys as yosys


def elaborate(file_list, top, parameters):
    """Reads and checks the design; returns everything Yosys and slang said."""
    settings = " ".join(f"-G {parameter}" for parameter in parameters)
    script = [
        f"read_slang --top {top} {settings} -F {file_list}",
        f"hierarchy -check -top {top}",
        "proc -noopt",
        "check -assert",
        "select -assert-none t:$dlatch t:$_DLATCH_*",
    ]
    # Yosys and slang write to the file descriptors, not to Python's streams.
    with tempfile.TemporaryFile("w+") as log:
        saved = os.dup(1), os.dup(2)
        try:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            design = yosys.Design()
            for command in script:
                yosys.run_pass(command, design)
        finally:
            os.dup2(saved[0], 1)
            os.dup2(saved[1], 2)
            log.seek(0)
            sys.stdout.write(log.read())


if __name__ == "__main__":
    elaborate(sys.argv[1], sys.argv[2], sys.argv[3:])
