#!/usr/bin/env bash
# Builds, or tests, the tool servers that this machine has toolchains for; or starts them, with those in Python.
# usage: tool_servers/servers.sh build|test|start    (start: till Ctrl-C or SIGTERM)
set -euo pipefail
cd "$(dirname "$0")/.."

# A server that is built, and the programs that this needs; the others are Python.
declare -A needs=([stocks]="go" [flights]="node npm" [hotels]="java mvn")

# Says what a server lacks, or nothing.
lacks() {
  local program
  for program in ${needs[$1]:-}; do
    command -v "$program" >/dev/null || { echo "$program"; return; }
  done
}

# Makes a target of each server that can be built here; where CI is set, all have to be.
make_each() {
  local name lacking
  for name in "${!needs[@]}"; do
    lacking=$(lacks "$name")
    if [[ -z $lacking ]]; then
      echo "servers: $name: make $1"
      make --no-print-directory -C "tool_servers/$name" "$1"
    elif [[ -n ${CI:-} ]]; then
      echo "servers: $name needs $lacking, which is not installed" >&2
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
  exec honcho --procfile tool_servers/Procfile --app-root . start "${names[@]}"
}

case ${1:-} in
  build) make_each build ;;
  test) make_each lint && make_each test ;;
  start) start ;;
  *) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
