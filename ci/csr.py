"""Makes from the register map in SystemRDL the files that follow from it.

    python3 ci/csr.py rtl/csr/supernode_csr.rdl FOLDER

writes below FOLDER: rtl/csr/supernode_csr_regs.sv and supernode_csr_regs_pkg.sv (by
PeakRDL-regblock: bus, decoder, lone registers), rtl/csr/supernode_csr_pkg.sv (layout of the
tables that the map calls external), rtl/csr/README.md (the map as a table) and
harness/src/dut/csr_map.rs (offsets and fields).
"""

import sys
from pathlib import Path

from peakrdl_regblock import RegblockExporter
from peakrdl_regblock.cpuif.apb4 import APB4_Cpuif_flattened
from peakrdl_regblock.udps import ALL_UDPS
from systemrdl import RDLCompileError, RDLCompiler
from systemrdl.node import RegfileNode, RegNode

NOTICE = "Generated from rtl/csr/supernode_csr.rdl by `make generate`; do not edit."


def read_map(path):
    """The elaborated register map."""
    compiler = RDLCompiler()
    for udp in ALL_UDPS:
        compiler.register_udp(udp)
    compiler.compile_file(path)
    return compiler.elaborate().top


def write_regblock(top, folder):
    """The register block, with APB4 as plain ports, answering bad accesses with an error."""
    RegblockExporter().export(
        top,
        str(folder),
        cpuif_cls=APB4_Cpuif_flattened,
        address_width=12,
        default_reset_activelow=True,
        err_if_bad_addr=True,
        err_if_bad_rw=True,
    )


def sentence(node):
    """What the map says about a node, on one line."""
    name, desc = node.get_property("name"), node.get_property("desc") or ""
    said = [part for part in (name, " ".join(desc.split())) if part and part != node.inst_name]
    return ". ".join(part.rstrip(".") for part in said)


def is_number(reg):
    """A register that is one number from bit 0 on, with no fields to tell apart."""
    return [(field.inst_name, field.low) for field in reg.fields()] == [("value", 0)]


def length(node):
    return node.array_dimensions[0] if node.is_array else 1


# ---- SystemVerilog: layout of the tables


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def reset_of(reg):
    return sum((field.get_property("reset") or 0) << field.low for field in reg.fields())


def sv_register(name, reg):
    """A register as a packed struct, high bits first."""
    members, above = [], 32

    def reserve(high, low):
        if high > low:
            members.append((f"logic [{high - low - 1}:0]", f"reserved_{low}"))

    for field in sorted(reg.fields(), key=lambda field: -field.low):
        reserve(above, field.high + 1)
        members.append((f"logic [{field.width - 1}:0]", field.inst_name))
        above = field.low
    reserve(above, 0)
    return sv_struct(name, members)


def sv_struct(name, members):
    lines = [f"    {kind} {member};" for kind, member in members]
    return ["  typedef struct packed {", *lines, f"  }} {name};", ""]


def sv_writable(table):
    """A table entry up to its last register as a packed struct of words, and its reset."""
    name = table.inst_name
    words = max(reg.raw_address_offset // 4 + length(reg) for reg in table.registers())
    lines, members, reset, above = [], [], [0] * words, words
    for reg in sorted(table.registers(), key=lambda reg: -reg.raw_address_offset):
        first, count = reg.raw_address_offset // 4, length(reg)
        if above > first + count:
            members.append((f"logic [{above - first - count - 1}:0][31:0]", f"reserved_{first + count}"))
        kind = "logic [31:0]"
        if not is_number(reg):
            kind = f"{name}_{reg.inst_name}_t"
            lines += [f"  // {sentence(reg)}."] + sv_register(kind, reg)
        members.append((kind + (f" [{count - 1}:0]" if reg.is_array else ""), reg.inst_name))
        reset[first : first + count] = [reset_of(reg)] * count
        above = first
    lines += [f"  // {table.get_property('name')}."] + sv_struct(f"{name}_regs_t", members)
    values = ",\n".join(f"    32'h{value:08x}" for value in reversed(reset))
    return lines + [f"  localparam {name}_regs_t {camel(name)}Reset = {{", values, "  };", ""]


def sv_readable(table):
    """The word index of each register of a read-only table entry."""
    lines = [f"  // Words of an entry of {table.inst_name}: {sentence(table.parent)}."]
    for reg in table.registers():
        name = camel(f"{table.inst_name}_{reg.inst_name}")
        lines.append(f"  localparam int unsigned {name} = {reg.raw_address_offset // 4};")
    return lines + [""]


def sv_package(top):
    lines = [f"// {NOTICE}", "", "package supernode_csr_pkg;", ""]
    for block in top.children(unroll=False):
        if not block.external:
            continue
        for entry in block.children(unroll=False):
            if isinstance(entry, RegNode):
                reset = f"32'h{reset_of(entry):08x}"
                lines += [f"  // {sentence(entry)}."]
                lines += [f"  localparam logic [31:0] {camel(entry.inst_name)}Reset = {reset};", ""]
            elif any(reg.has_sw_writable for reg in entry.registers()):
                lines += sv_writable(entry)
            else:
                lines += sv_readable(entry)
    return "\n".join(lines + ["endpackage", ""])


# ---- Rust: offsets and fields

RUST_HEAD = f"""// {NOTICE}

//! Where the switch's registers are: byte offsets on its APB port, and the fields in them.

/// A field of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {{
    /// Its lowest bit.
    pub shift: u32,
    /// How many bits it has.
    pub width: u32,
}}

impl Field {{
    const fn new(shift: u32, width: u32) -> Self {{
        Self {{ shift, width }}
    }}

    const fn mask(self) -> u32 {{
        u32::MAX >> (32 - self.width)
    }}

    /// The field's value in a register's word.
    pub const fn get(self, word: u32) -> u32 {{
        (word >> self.shift) & self.mask()
    }}

    /// A word that is 0 but for this field; the value's bits beyond the field are dropped.
    pub const fn put(self, value: u32) -> u32 {{
        (value & self.mask()) << self.shift
    }}
}}
"""


def rust_register(reg, path, indices):
    """The offset of a register: a constant, or a function of the arrays it is in."""
    name = "_".join(path)
    lines = [f"/// {sentence(reg)}."]
    if indices:
        bounds = " and ".join(f"`{index}` < {count}" for index, count, _ in indices)
        arguments = ", ".join(f"{index}: u32" for index, _, _ in indices)
        strides = "".join(f" + {stride:#x} * {index}" for index, _, stride in indices)
        checks = " && ".join(f"{index} < {count}" for index, count, _ in indices)
        start = reg.raw_absolute_address
        lines += ["///", "/// # Panics", "///", f"/// Unless {bounds}."]
        lines += [f"pub const fn {name}({arguments}) -> u32 {{"]
        lines += [f"    assert!({checks});", f"    {start:#05x}{strides}", "}"]
    else:
        lines.append(f"pub const {name.upper()}: u32 = {reg.raw_absolute_address:#05x};")
    if not is_number(reg):
        register = name if indices else name.upper()
        for field in reg.fields():
            said = sentence(field)
            constant = "_".join([*path, field.inst_name]).upper()
            lines.append(f"/// `{field.inst_name}` of [`{register}`]{': ' if said else ''}{said}.")
            lines.append(f"pub const {constant}: Field = Field::new({field.low}, {field.width});")
    return lines + [""]


def rust_registers(node, path=(), indices=()):
    lines = []
    for child in node.children(unroll=False):
        inside = indices
        if child.is_array:
            index = child.inst_name if isinstance(child, RegfileNode) else "index"
            inside = (*indices, (index, length(child), child.array_stride))
        if isinstance(child, RegNode):
            lines += rust_register(child, (*path, child.inst_name), inside)
        else:
            # A block that only holds tables adds nothing to the name.
            named = () if child.external and not child.is_array else (child.inst_name,)
            lines += rust_registers(child, (*path, *named), inside)
    return lines


def rust_map(top):
    return "\n".join([RUST_HEAD, *rust_registers(top)])


# ---- Markdown: the map as a table

MARKDOWN_HEAD = f"""<!-- {NOTICE} -->

# Registers of the switch

Words of 32 bits at byte offsets on the APB port; r: software reads, w: software writes; i and j
count from 0 to below the numbers in brackets. supernode_csr.rdl says what a small switch does with
the registers of what it does not have, and how bad accesses are answered.

| offset | register | bits | | reset | meaning |
|---|---|---|---|---|---|
"""


def markdown_register(reg, path, offset):
    rows = []
    for field in reg.fields():
        access = "r" * field.is_sw_readable + "w" * field.is_sw_writable
        reset = field.get_property("reset")
        hardware = "" if reset is None else f"{reset:#x}"
        if is_number(reg):
            name, said = path, sentence(reg)
        else:
            name, said = f"{path}.{field.inst_name}", sentence(field) or sentence(reg)
        bits = f"{field.high}:{field.low}"
        rows.append(f"| {offset} | {name} | {bits} | {access} | {hardware} | {said} |")
    return rows


def markdown_registers(node, path="", offset=""):
    rows = []
    for child in node.children(unroll=False):
        name = path
        if not (child.external and isinstance(child, RegfileNode) and not child.is_array):
            name = f"{path}.{child.inst_name}" if path else child.inst_name
        strides = offset
        if child.is_array:
            index = "ijk"[strides.count("+")]
            name += f"[{length(child)}]"
            strides += f" + {child.array_stride:#x} {index}"
        if isinstance(child, RegNode):
            start = f"{child.raw_absolute_address:#05x}"
            rows += markdown_register(child, f"`{name}`", f"{start}{strides}")
        else:
            rows += markdown_registers(child, name, strides)
    return rows


def markdown_map(top):
    return MARKDOWN_HEAD + "\n".join(markdown_registers(top)) + "\n"


def main(source, folder):
    try:
        top = read_map(source)
    except RDLCompileError:
        sys.exit(f"csr: {source} does not compile; the messages above say why")
    rtl = Path(folder, "rtl/csr")
    rust = Path(folder, "harness/src/dut/csr_map.rs")
    rtl.mkdir(parents=True, exist_ok=True)
    rust.parent.mkdir(parents=True, exist_ok=True)
    write_regblock(top, rtl)
    Path(rtl, "supernode_csr_pkg.sv").write_text(sv_package(top))
    Path(rtl, "README.md").write_text(markdown_map(top))
    rust.write_text(rust_map(top))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
