#!/usr/bin/env bash
# Downloads Debian's riscv64 packages and unpacks them into a folder; nothing is installed. For the tests that run real
# programs (busybox, bash, python3 ...). Needs Debian's apt with a configured Debian archive, and dpkg-deb; no root.
# Usage: scripts/fetch-riscv64-packages.sh FOLDER PACKAGE...     [SUITE=trixie]
set -euo pipefail
if [ $# -lt 2 ]; then echo "usage: $0 FOLDER PACKAGE..." >&2; exit 2; fi
command -v apt-get >/dev/null || { echo "$0: needs apt-get" >&2; exit 3; }
target=$1; shift
suite=${SUITE:-trixie}
mkdir -p "$target"; target=$(cd "$target" && pwd)
work=$target/.apt
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/deb"
: > "$work/status"
# The archive that this machine's apt already uses; riscv64 is there from trixie on.
archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
[ -n "$archive" ] || { echo "$0: this machine's apt knows no Debian archive (run apt-get update first)" >&2; exit 3; }
echo "deb [arch=riscv64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main" > "$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
  -o "Dir::Cache=$work/cache" -o "Dir::State::status=$work/status" -o APT::Architecture=riscv64 -o APT::Architectures=riscv64
  -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$work/deb" && "${apt[@]}" download "$@")
for package in "$work"/deb/*.deb; do dpkg-deb -x "$package" "$target"; done
# /bin, /sbin and /lib are links into /usr, which the package base-files makes when it is installed.
for folder in bin sbin lib; do
  if [ -d "$target/usr/$folder" ] && [ ! -e "$target/$folder" ]; then ln -s "usr/$folder" "$target/$folder"; fi
done
