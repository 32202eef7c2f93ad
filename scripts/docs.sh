#!/usr/bin/env bash
# docs.sh: checks the links between the pages and the files that they name, then makes the site of the public headers
# and the pages: build/docs/html/index.html. What is not documented, and a link that leads nowhere, is an error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pages() { ls ./*.md; find docs -name '*.md' | sort; }

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
check_pages() {
  local page target
  local rooms='(bench|cli|cmake|docs|examples|include|scripts|src|tests)'
  while read -r page; do
    while read -r target; do check_link "$page" "$target"; done < <(
      prose "$page" | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:' | sort -u || true)
    while read -r target; do
      [[ -e $target ]] || echo "$page: it names $target, which is not there"
    done < <(prose "$page" | grep -oE "\`$rooms/[A-Za-z0-9_./-]+\`" | tr -d '\`' | sort -u || true)
    [[ $page != docs/*.md || $page == docs/*/* || $page == docs/README.md ]] ||
      grep -qF "(${page#docs/})" docs/README.md || echo "docs/README.md: it does not name $page"
  done < <(pages)
}

echo "check the pages' links"
faults=$(check_pages)
[[ -z $faults ]] || { echo "$faults" >&2; exit 1; }

scripts/install-dependencies.sh docs
echo "make build/docs/html"
CONNECTID_VERSION=$(sed -nE 's/^#define CONNECTID_VERSION "(.*)"$/\1/p' include/connectid/version.hpp)
export CONNECTID_VERSION
rm -rf build/docs
mkdir -p build/docs
doxygen docs/doxygen/Doxyfile
# Doxygen 1.9.4 does not mind an enumerator that nobody documented.
silent=$(awk '/<enumvalue/ { told = 0 } /<name>/ { name = $0 } /<para>/ { told = 1 }
  /<\/enumvalue>/ && !told { print name }' build/docs/xml/*.xml | sed -E 's/ *<[^>]*>//g')
[[ -z $silent ]] || { echo "enumerators that are not documented: $silent" >&2; exit 1; }
# Nor does it say anything where it reads a name otherwise than a compiler does: see docs/doxygen/header.sed.
[[ -f build/docs/html/classconnectid_1_1SubscriptionClient.html ]] ||
  { echo "the site knows no connectid::SubscriptionClient" >&2; exit 1; }
