#!/usr/bin/env bash
# Starts the weather tool server on a free port, asks a question through the broker, and stops the server.
# usage: tool_servers/demo.sh "QUESTION"
set -euo pipefail

folder=$(mktemp -d)
mkfifo "$folder/said"
# Each answer takes as long as a distant service would need, so that calls can be seen to overlap.
python -m tool_servers.weather --address 127.0.0.1:0 --delay 0.3 >"$folder/said" 2>"$folder/log" &
server=$!
stop() {
  kill -TERM "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT

# Not a coprocess, which the bash of macOS does not know.
exec 3<"$folder/said"
if ! read -r -t 30 line <&3; then
  cat "$folder/log" >&2
  exit 1
fi
echo "$line"
status=0
broker chat -plaintext -proto weather/v1/weather.proto -import-path protos "${line##* }" "$1" || status=$?

kill -TERM "$server" && wait "$server" || true
echo "weather: $(grep -c 'method=' "$folder/log" || true) call(s); $(grep -o 'max_in_flight=.*' "$folder/log")"
exit "$status"
