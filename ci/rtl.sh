# shellcheck shell=bash
# Sourced by the scripts that read the RTL. Run from the top of the repository.

# The sources in the order of rtl/supernode.f, the one list of them.
rtl_sources() {
  sed -e 's|//.*||' -e 's|[[:space:]]*$||' -e '/^$/d' -e 's|^|rtl/|' rtl/supernode.f
}

# Those that people write: a generated file says so in its first line.
rtl_written() {
  rtl_sources | xargs grep -L -m1 '^// Generated'
}
