#!/usr/bin/env bash
# Makes sure that the tools the build calls are present: cargo, make, a C++ compiler and
# Verilator. Silent and instant when they are. What is missing is installed with apt where
# that needs no password; otherwise one sentence says what to install.
#
#   ci/setup.sh           the tools of build, run and test
#   ci/setup.sh python    also Python 3 with venv, for the lints
#
# $VERILATOR and $CXX, when set, name the programs to use instead of the ones on PATH.
set -euo pipefail

readonly oldest=5.006

fail() {
  echo "setup: $*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Debian's names of the packages that are missing.
missing() {
  if [[ ${1:-} == python ]]; then
    have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  fi
  have make || echo make
  [[ -n ${CXX:-} ]] || have c++ || have g++ || echo g++
  [[ -n ${VERILATOR:-} ]] || have verilator || echo verilator
}

install() {
  have apt-get || fail "please install $* with your package manager, then run again."
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  if ((EUID != 0)); then
    sudo -n true 2>/dev/null || fail "please run: sudo apt-get install $*"
    apt=(sudo -n "${apt[@]}")
  fi
  echo "setup: installing $*" >&2
  {
    "${apt[@]}" update || echo "setup: apt-get update failed; going on with the package lists at hand"
    "${apt[@]}" install -y --no-install-recommends "$@" ||
      fail "apt-get could not install $*; please install by hand, then run again."
  } >&2 </dev/null
}

# Is version $1 (5.012) at least version $2 (5.006)? Both parts count as decimal numbers.
at_least() {
  local a b
  IFS=. read -r -a a <<<"$1"
  IFS=. read -r -a b <<<"$2"
  ((10#${a[0]} > 10#${b[0]} || (10#${a[0]} == 10#${b[0]} && 10#${a[1]} >= 10#${b[1]})))
}

check_verilator() {
  local program=${VERILATOR:-verilator} version
  version=$("$program" --version 2>/dev/null | sed -n 's/^Verilator \([0-9]\+\.[0-9]\+\).*/\1/p') || true
  [[ -n $version ]] ||
    fail "'$program --version' does not answer as Verilator does; please install Verilator >= $oldest or name one in VERILATOR."
  at_least "$version" "$oldest" ||
    fail "$program is Verilator $version; please install one >= $oldest (https://verilator.org/guide/latest/install.html) and put it on PATH or name it in VERILATOR."
}

have cargo || fail "cargo is missing; please install Rust from https://rustup.rs, then run again."
mapfile -t packages < <(missing "$@")
((${#packages[@]} == 0)) || install "${packages[@]}"
[[ -z ${CXX:-} ]] || have "${CXX%% *}" || fail "CXX is '$CXX', which does not run; unset it or name a C++ compiler."
check_verilator
