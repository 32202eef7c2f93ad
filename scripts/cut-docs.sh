#!/usr/bin/env bash
# cut-docs.sh [--check]: fills every code block of README.md and docs/ from the file that the line above it names:
#     <!-- cut from examples/cron.sh: the rule -->
# That is what stands between `# docs: the rule` and `# docs: end` there (`//` in C++), or the whole file where no
# region is named. Only ```text and ```mermaid need no such line. --check changes nothing: it fails where a block is not
# what its file says, or is not cut from anything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case "$*" in
  "" | --check) check=${1:-} ;;
  *) echo "usage: cut-docs.sh [--check]" >&2; exit 2 ;;
esac

read -r -d '' cutter <<'AWK' || true
function complain(line, text) {
  print page ":" line ": " text >"/dev/stderr"
  failed = 1
}

# The lines of a region, as far to the left as they go. Only from rooms whose files a test compiles or runs.
function cut(file, region,    line, name, lines, count, i, margin, inside, found, read) {
  if (file !~ /^(bench|cli|examples|include|src|tests|\.ci)\//) {
    complain(NR, file " is in no folder whose files are compiled or run")
    return
  }
  inside = region == ""
  margin = 1000
  while ((read = (getline line <file)) > 0) {
    if (line ~ /^ *(\/\/|#) docs: /) {
      name = substr(line, index(line, "docs: ") + 6)
      if (region == "") continue
      if (inside && name != "end") complain(NR, "the region \"" region "\" of " file " does not end before the next")
      inside = name == region
      found += inside
      continue
    }
    if (!inside) continue
    lines[++count] = line
    if (line ~ /^```/) complain(NR, file " holds a line of three backticks")
    if (match(line, /[^ ]/) && RSTART - 1 < margin) margin = RSTART - 1
  }
  close(file)
  if (read < 0) complain(NR, "there is no file " file)
  else if (region != "" && found != 1) complain(NR, file " has " found + 0 " regions \"" region "\"")
  else if (region != "" && inside) complain(NR, "the region \"" region "\" of " file " has no end")
  for (i = 1; i <= count; ++i) wanted = wanted substr(lines[i], margin + 1) "\n"
}

function open_block() {
  opened = NR
  present = wanted = ""
  if ($0 !~ /^```[a-z]*$/) complain(NR, "a block begins with three backticks and one word, at the line's start")
  if (marker != "") {
    source = marker
    sub(/^<!-- cut from /, "", source)
    sub(/ -->$/, "", source)
    region = index(source, ": ") ? substr(source, index(source, ": ") + 2) : ""
    sub(/: .*/, "", source)
    cut(source, region)
  } else if ($0 !~ /^```(text|mermaid)$/) {
    complain(NR, "a block that is cut from nothing: no \"<!-- cut from FILE: REGION -->\" above it")
  }
}

function close_block() {
  if (marker == "") wanted = present
  else if (check && wanted != present) complain(opened, "not what " source " says: run scripts/cut-docs.sh")
  printf "%s", wanted
  opened = 0
  marker = ""
}

opened && /^ *```/ { close_block(); print; next }
opened             { present = present $0 "\n"; next }
/^ *(```|~~~)/     { open_block(); print; blank = 0; next }
marker != ""       { complain(NR - 1, "no block follows"); marker = "" }
/^<!-- cut from .* -->$/ { marker = $0 }
/^(    |\t)/ && blank && above !~ /^([-*+]|[0-9]+[.)]) / { complain(NR, "a block without a fence") }
/^[^ \t]/ { above = $0 }
{ print; blank = /^ *$/ }
END {
  if (opened) complain(opened, "the block is not closed")
  if (marker != "" && !opened) complain(NR, "no block follows")
  exit failed
}
AWK

work=$(mktemp)
trap 'rm -f "$work"' EXIT
failed=0
while read -r page; do
  awk -v page="$page" -v check="$check" "$cutter" "$page" >"$work" || { failed=1; continue; }
  [[ -n $check ]] || cmp -s "$work" "$page" || { cat "$work" >"$page"; echo "written: $page"; }
done < <(echo README.md; find docs -name '*.md' | LC_ALL=C sort)
exit "$failed"
