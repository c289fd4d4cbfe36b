#!/usr/bin/env bash
# glibc.sh FOLDER: unpacks the C and C++ libraries of Debian trixie into FOLDER, for a program that needs
# newer ones than the system has. They come from the Debian mirror that apt is configured with; nothing is
# installed, and apt's own lists are left as they are.
set -euo pipefail
folder=$(realpath -m "$1")
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
mkdir -p "$state/lists/partial" "$state/archives/partial" "$folder"

found=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null || true)
read -r mirror _ <<< "$found"
[ -n "$mirror" ] || { echo "apt is configured with no Debian mirror" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > "$state/sources.list"
options=(-qq -o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state" -o APT::Sandbox::User=root)

cd "$state"
apt-get "${options[@]}" update
apt-get "${options[@]}" download libc6 libstdc++6 libgcc-s1
for package in ./*.deb; do dpkg-deb -x "$package" "$folder"; done
