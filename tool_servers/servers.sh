#!/usr/bin/env bash
# Builds the tool servers of the languages that this machine has toolchains for, and starts them with all others.
# usage: tool_servers/servers.sh build|start    (make servers does both; Ctrl-C or SIGTERM stops them)
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

build() {
  local name lacking
  for name in stocks flights hotels; do
    lacking=$(lacks "$name")
    if [[ -z $lacking ]]; then
      echo "servers: building $name"
      make --no-print-directory -C "tool_servers/$name" build
    elif [[ -n ${CI:-} ]]; then
      echo "servers: $name cannot be built: $lacking is not installed" >&2
      exit 1
    else
      echo "servers: left out $name: $lacking is not installed"
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
  build) build ;;
  start) start ;;
  *) sed -n '3s/^# //p' "$0" >&2; exit 2 ;;
esac
