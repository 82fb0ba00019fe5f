#!/usr/bin/env bash
# How many inputs fuzzing takes to find each known fault, guided and at random.
#
#   ci/fuzz-mutants.sh                             every patch in testbenches/mutations
#   EXECS=500 SEEDS=3 ci/fuzz-mutants.sh lost_credit   only these; inputs and seeds of each
#   WAVES=waves ci/fuzz-mutants.sh lost_credit     and the smallest finding, with its waveform, there
#   TARGET=hostile ci/fuzz-mutants.sh lost_credit  one device keeps no rule
#   TARGET=home ci/fuzz-mutants.sh                 a home alone instead of a switch, all its faults
#
# Prints for each fault and search the inputs until the first finding of each seed (- for none within
# EXECS), and the smallest stimulus that shows it. Only the tight switch and the home are built of a
# patched RTL, in target/mutants, so that a fault takes a minute or two; faults of links and of systems
# of several chips are not to be found in it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. ci/mutants.sh

target=${TARGET:-switch}
[[ $target == home ]] && export SUPERNODE_MUTANT_HOME=1

fuzz() {
  SUPERNODE_MUTANT=$tree \
    cargo run --quiet --release -p mutant -- fuzz "$target" "$1" "${EXECS:-2000}" "${SEEDS:-5}"
}

names=("$@")
if ((${#names[@]} == 0)); then
  case $target in
  home) mapfile -t names < <(home_faults) ;;
  *) mapfile -t names < <(names_of "$patches"/*.patch) ;;
  esac
fi
if [[ -n ${WAVES:-} ]]; then
  mkdir -p "$WAVES"
  SUPERNODE_MUTANT_WAVES=$(realpath "$WAVES")
  export SUPERNODE_MUTANT_WAVES
fi
each_mutant fuzz "${names[@]}"
