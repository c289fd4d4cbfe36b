#!/usr/bin/env bash
# Builds, or tests, the tool servers that this machine has toolchains for, or generates their stubs; or starts all of them.
# usage: tool_servers/servers.sh gen|build|test|start|lacks NAME    (start: till Ctrl-C or SIGTERM)
set -euo pipefail
cd "$(dirname "$0")/.."

# The servers that are built; the others are Python.
built="stocks flights hotels"

# What a server needs to be built and run: each program with the oldest version that will do.
needs() {
  case $1 in
    stocks) echo "go=1.26" ;;
    flights) echo "node=20 npm=0" ;;
    hotels) echo "java=17 javac=17 mvn=3.8" ;;
  esac
}

# The version of a program, asked where a server is built: there Go answers for the one that its go.mod has it fetch.
version() {
  local program=$1 flag=--version said
  [[ $program != go ]] || flag=version
  said=$(cd "tool_servers/$2" && "$program" "$flag" 2>&1) || return 0
  # A digit behind "[" belongs to a colour.
  [[ ! $said =~ (^|[^0-9\[])([0-9]+(\.[0-9]+)?) ]] || echo "${BASH_REMATCH[2]}"
}

# Whether a version, of one or two numbers, is at least another.
reaches() {
  local minor=0 least=0
  [[ $1 != *.* ]] || minor=${1#*.}
  [[ $2 != *.* ]] || least=${2#*.}
  ((${1%%.*} > ${2%%.*} || (${1%%.*} == ${2%%.*} && minor >= least)))
}

# Says what a server lacks, or nothing.
lacks() {
  local need program oldest found
  for need in $(needs "$1"); do
    program=${need%=*} oldest=${need#*=}
    if ! command -v "$program" >/dev/null; then
      echo "$program, which is not installed"
      return
    fi
    [[ $oldest != 0 ]] || continue
    found=$(version "$program" "$1")
    if [[ -z $found ]] || ! reaches "$found" "$oldest"; then
      echo "$program $oldest or newer, and finds ${found:-one that does not tell its version}"
      return
    fi
  done
}

# Makes a target of each server that can be built here; where CI is set, all have to be.
make_each() {
  local name lacking
  for name in $built; do
    lacking=$(lacks "$name")
    if [[ -z $lacking ]]; then
      echo "servers: $name: make $1"
      make --silent --no-print-directory -C "tool_servers/$name" "$1"
    elif [[ -n ${CI:-} ]]; then
      echo "servers: $name needs $lacking" >&2
      exit 1
    else
      echo "servers: left out $name, which needs $lacking"
    fi
  done
}

start() {
  local name names=()
  for name in $(sed -n 's/^\([a-z-]*\):.*/\1/p' tool_servers/Procfile); do
    [[ -n $(lacks "$name") ]] || names+=("$name")
  done
  exec python -m tool_servers.supervisor "${names[@]}"
}

case ${1:-} in
  gen | build) make_each "$1" ;;
  test)
    # Not joined by "&&": bash would then go on after a lint that failed.
    make_each lint
    make_each test
    ;;
  start) start ;;
  lacks) lacks "${2:-}" ;;
  *) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
