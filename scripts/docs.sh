#!/usr/bin/env bash
# docs.sh [--check] [PART...]: makes what the documents are made of, by default every part:
#   blocks  fills every code block of README.md and docs/ from the file that the line above it names:
#               <!-- cut from examples/cron.sh: the rule -->
#           That is what stands between `# docs: the rule` and `# docs: end` there (`//` in C++), or the whole file where
#           no region is named. Only ```text and ```mermaid need no such line.
#   tables  writes docs/faults.md and docs/endpoints.md, which tests make (and check)
#   links   checks the links between the pages and the files that they name
#   site    makes the site of the public headers and the pages: build/docs/html/index.html. What is not documented, and a
#           link that leads nowhere, is an error
# --check changes no page: blocks fails where a block is not what its file says, or is not cut from anything.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

read -r -d '' cutter <<'AWK' || true
function complain(line, text) {
  print page ":" line ": " text >"/dev/stderr"
  failed = 1
}

# The lines of a region, as far to the left as they go. Only from directories whose files a test compiles or runs.
function cut(file, region,    line, name, lines, count, i, margin, inside, found, read) {
  if (file !~ /^(bench|cli|examples|include|src|tests|\.ci)\//) {
    complain(NR, file " is in no directory whose files are compiled or run")
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
  else if (check && wanted != present) complain(opened, "not what " source " says: run scripts/docs.sh blocks")
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

make_blocks() {
  local failed=0 page
  while read -r page; do
    awk -v page="$page" -v check="$check" "$cutter" "$page" >"$work" || { failed=1; continue; }
    [[ -n $check ]] || cmp -s "$work" "$page" || { cat "$work" >"$page"; echo "written: $page"; }
  done < <(echo README.md; find docs -name '*.md' | LC_ALL=C sort)
  return "$failed"
}

make_tables() {
  install_dependencies test
  echo "build the tests that make pages"
  quietly cmake --preset release
  quietly cmake --build --preset release --target fault_tests unit_tests --parallel "$jobs"
  echo "write docs/faults.md and docs/endpoints.md"
  for tests in fault_tests unit_tests; do
    CONNECTID_WRITE_DOCS=1 "build/release/tests/$tests" --gtest_brief=1 --gtest_filter='*Page.*'
  done
}

all_pages() { ls ./*.md; find docs -name '*.md' | sort; }

# A page without its code blocks, where brackets mean something else. (\x60 is the backtick.)
prose() { sed '/^\x60\{3\}/,/^\x60\{3\}$/d; /^    /d' "$1"; }

# What GitHub makes of a page's headings.
anchors() { prose "$1" | sed -nE 's/^#+ +//p' | tr '[:upper:]' '[:lower:]' | sed -E 's/[^a-z0-9_ -]//g; s/ /-/g'; }

check_link() {  # PAGE TARGET
  local file anchor
  file=$(dirname "$1")/${2%%#*} anchor=${2#"${2%%#*}"}
  [[ $2 != '#'* ]] || file=$1
  if [[ ! -e $file ]]; then
    echo "$1: the link to $2 leads nowhere"
  elif [[ -n $anchor ]] && ! anchors "$file" | grep -qxF -- "${anchor#'#'}"; then
    echo "$1: the link to $2: there is no such heading"
  fi
}

# Each line of output is a fault.
wrong_links() {
  local page target
  local directories='(bench|cli|cmake|docs|examples|include|scripts|src|tests)'
  while read -r page; do
    while read -r target; do check_link "$page" "$target"; done < <(
      prose "$page" | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:' | sort -u || true)
    while read -r target; do
      [[ -e $target ]] || echo "$page: it names $target, which is not there"
    done < <(prose "$page" | grep -oE "\`$directories/[A-Za-z0-9_./-]+\`" | tr -d '\`' | sort -u || true)
    [[ $page != docs/*.md || $page == docs/*/* || $page == docs/README.md ]] ||
      grep -qF "(${page#docs/})" docs/README.md || echo "docs/README.md: it does not name $page"
  done < <(all_pages)
}

make_links() {
  local faults
  echo "check the pages' links"
  faults=$(wrong_links)
  [[ -z $faults ]] || { echo "$faults" >&2; return 1; }
}

make_site() {
  local silent
  install_dependencies docs
  echo "make build/docs/html"
  CONNECTID_VERSION=$(sed -nE 's/^#define CONNECTID_VERSION "(.*)"$/\1/p' include/connectid/version.hpp)
  export CONNECTID_VERSION
  rm -rf build/docs
  mkdir -p build/docs
  doxygen docs/doxygen/Doxyfile
  # Doxygen 1.9.4 does not mind an enumerator that nobody documented.
  silent=$(awk '/<enumvalue/ { told = 0 } /<name>/ { name = $0 } /<para>/ { told = 1 }
    /<\/enumvalue>/ && !told { print name }' build/docs/xml/*.xml | sed -E 's/ *<[^>]*>//g')
  [[ -z $silent ]] || { echo "enumerators that are not documented: $silent" >&2; return 1; }
  # Nor does it say anything where it reads a name otherwise than a compiler does: see docs/doxygen/header.sed.
  [[ -f build/docs/html/classconnectid_1_1SubscriptionClient.html ]] ||
    { echo "the site knows no connectid::SubscriptionClient" >&2; return 1; }
}

check=''
[[ ${1:-} != --check ]] || { check=$1; shift; }
if (($# == 0)); then
  set -- blocks tables links site
  [[ -z $check ]] || set -- blocks links site  # tests check the tables
fi
for part in "$@"; do
  declare -F "make_$part" >/dev/null || { echo "usage: docs.sh [--check] [blocks|tables|links|site]..." >&2; exit 2; }
done
work=$(mktemp)
trap 'rm -f "$work"' EXIT
for part in "$@"; do "make_$part"; done
