#!/usr/bin/env bash
# cut_docs.sh: scripts/docs.sh blocks fills a block, is content with what it filled, and notices each way to go wrong.
set -euo pipefail
scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../scripts" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work"/{docs,examples,scripts}
cp "$scripts"/{docs,common}.sh "$work/scripts/"
cd "$work"

cat >examples/shop.cpp <<'END'
int main() {
  // docs: both ways
  if (true) {
    return 0;
  }
  // docs: end
  // docs: never ends
}
END
echo 'echo whole' >examples/whole.sh

page() { printf '%s\n' "$@" >README.md; }
fail() { echo "FAILED: $*" >&2; exit 1; }

page '# Shop' '' '<!-- cut from examples/shop.cpp: both ways -->' '```cpp' 'old' '```' '' '```text' 'as it is' '```' \
  '<!-- cut from examples/whole.sh -->' '```sh' '```'
if scripts/docs.sh --check blocks 2>errors; then fail "drift was not noticed"; fi
grep -q '^README.md:4: .*examples/shop.cpp' errors || fail "drift is not reported with its place: $(<errors)"
grep -q '^README.md:12: .*examples/whole.sh' errors || fail "the second block is not reported: $(<errors)"
grep -q old README.md || fail "--check wrote"

scripts/docs.sh blocks >/dev/null
scripts/docs.sh --check blocks || fail "what was filled is not accepted"
diff README.md - <<'END' || fail "filled otherwise"
# Shop

<!-- cut from examples/shop.cpp: both ways -->
```cpp
if (true) {
  return 0;
}
```

```text
as it is
```
<!-- cut from examples/whole.sh -->
```sh
echo whole
```
END

# LINE WORDS PAGE-LINE...: refused there in these words by --check, and left as it is without.
refused() {
  local line=$1 words=$2
  shift 2
  page "$@"
  cp README.md before
  local mode
  for mode in --check ''; do
    if scripts/docs.sh ${mode:+"$mode"} blocks >/dev/null 2>errors; then fail "accepted: $*"; fi
    grep -q "^README.md:$line: .*$words" errors || fail "not \"$words\" at line $line: $(<errors)"
    cmp -s README.md before || fail "written all the same: $*"
  done
}
cut='<!-- cut from examples/shop.cpp: both ways -->'
refused 1 'cut from nothing' '```cpp' 'int i;' '```'
refused 1 'cut from nothing' '```' 'int i;' '```'
refused 3 'cut from nothing' "$cut" '' '```cpp' 'int i;' '```'
refused 2 'not closed' "$cut" '```cpp' 'int i;'
refused 1 'no block follows' "$cut" 'Some words.'
refused 1 'no block follows' "$cut"
refused 2 'regions "neither"' '<!-- cut from examples/shop.cpp: neither -->' '```cpp' '```'
refused 2 'has no end' '<!-- cut from examples/shop.cpp: never ends -->' '```cpp' '```'
refused 2 'no file examples/gone.cpp' '<!-- cut from examples/gone.cpp -->' '```cpp' '```'
refused 2 'in no directory' '<!-- cut from docs/page.cpp -->' '```cpp' '```'
refused 1 "at the line's start" '  ```cpp' '  int i;' '  ```'
refused 1 'three backticks and one word' '~~~cpp' 'int i;' '~~~'
refused 3 'without a fence' 'Like this:' '' '    int i;'

page 'Fine.'
printf '%s\n' '```cpp' 'int i;' '```' >docs/page.md
if scripts/docs.sh --check blocks 2>errors; then fail "docs/ is not read"; fi
grep -q '^docs/page.md:1: ' errors || fail "not docs/page.md: $(<errors)"
echo "drift and thirteen other slips are noticed"
