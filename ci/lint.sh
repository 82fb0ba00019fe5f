#!/usr/bin/env bash
# Runs the static checks, one summary line each, and shows the output of those that fail.
#
#   ci/lint.sh              all of them
#   ci/lint.sh slang style  only these
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. ci/rtl.sh

readonly stages=(files verilator slang depth style layout generated lock rustfmt clippy rustdoc scripts)
# What is linted and elaborated: a top and its parameters.
readonly designs=(
  "supernode_switch Ports=4"
  "supernode_switch Ports=8"
  "supernode_switch Ports=8 Nodes=64 NodesPerChip=4 Chips=8"
  "supernode_switch Ports=16"
  "supernode_fabric"
)
readonly elaborated=(
  "supernode_switch Ports=4"
  "supernode_switch Ports=8"
  "supernode_fabric Leaves=2 NodesPerLeaf=2 Spines=1 LeafPorts=4 SpinePorts=4 DirSets=2"
)

work=$(realpath -m "${CARGO_TARGET_DIR:-target}/lint")
mkdir -p "$work"

# rtl/supernode.f lists exactly the sources there are.
lint_files() {
  diff --label "listed in rtl/supernode.f" --label "found under rtl/" -u0 \
    <(rtl_sources | sort) <(find rtl -name '*.sv' | sort)
}

lint_verilator() {
  local design words
  for design in "${designs[@]}"; do
    echo "$design"
    read -ra words <<<"$design"
    set -- "${words[@]:1}"
    # No waiver: -Wno-fatal only lets all files be read, and any warning at all is an error below.
    "${VERILATOR:-verilator}" --lint-only -Wall -Wno-fatal ci/verilator.vlt -F rtl/supernode.f \
      --top-module "${words[0]}" "${@/#/-G}" 2>"$work/verilator.err" || {
      cat "$work/verilator.err"
      return 1
    }
    [[ ! -s $work/verilator.err ]] || {
      cat "$work/verilator.err"
      return 1
    }
  done
}

lint_slang() {
  local design words
  for design in "${elaborated[@]}"; do
    read -ra words <<<"$design"
    python3 ci/elaborate.py rtl/supernode.f "${words[@]}" || return 1
  done
}

# The fabric of 4 ports does not get slower in silicon without somebody noticing. Equal logic comes out
# a level or two deeper or shallower, since the mapper works for delay and not for levels.
lint_depth() { python3 ci/ppa.py depth fabric4 17; }

lint_style() {
  rtl_written | xargs verible-verilog-lint --rules_config ci/verible.rules
}

lint_layout() {
  rtl_written | xargs verible-verilog-format --flagfile=ci/verible-format.flags --verify --inplace
}

lint_generated() { ci/generate.sh --check; }
lint_lock() { cargo metadata --locked --format-version 1 >/dev/null; }
lint_rustfmt() { cargo fmt --all --check; }
lint_clippy() { cargo clippy --quiet --release --workspace --all-targets -- -D warnings; }
lint_rustdoc() { RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --release --workspace --no-deps; }
lint_scripts() { shellcheck .ci/run ci/*.sh; }

tools=$(ci/venv.sh) || exit 1
PATH=$tools:$PATH

chosen=("$@")
((${#chosen[@]})) || chosen=("${stages[@]}")
failed=()
for stage in "${chosen[@]}"; do
  if [[ " ${stages[*]} " != *" $stage "* ]]; then
    echo "lint: there is no '$stage'; there are: ${stages[*]}" >&2
    exit 2
  fi
  start=$SECONDS
  if "lint_$stage" >"$work/$stage.log" 2>&1 </dev/null; then
    printf 'lint %-10s ok      %3d s\n' "$stage" $((SECONDS - start))
  else
    printf 'lint %-10s FAILED  %3d s\n' "$stage" $((SECONDS - start))
    sed 's/^/    /' "$work/$stage.log"
    failed+=("$stage")
  fi
done
((${#failed[@]} == 0)) || {
  echo "lint: failed: ${failed[*]}"
  exit 1
}
echo "lint: ${#chosen[@]} stages clean"
