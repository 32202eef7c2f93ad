#!/usr/bin/env bash
# declared_files.sh: what is installed for each public header and each command of the program, in no recorded list.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
find include -name '*.hpp'
sed -nE 's/^COMMAND\([a-z_]+, "(.*)"\)$/\1/p' cli/commands/commands.inc | sed 's|[ _]|-|g; s|.*|share/man/man1/connectid-&.1|'
