#!/usr/bin/env bash
# manual_page.sh HELP2MAN VERSION PAGE PROGRAM [WORD...]: writes the manual page of a command, made of its help.
set -euo pipefail
help2man=$1 version=$2 page=$3
shift 3
name=$(basename "$page" .1)
summary=$("$@" --help | sed '1!d; s/^[^:]*: //')
# No date: the version says what the page describes. No hyphenation: a flag must not be broken in two.
"$help2man" --no-info --name="$summary" --version-string="connectid $version" "$*" |
  sed -E "s/^\.TH [^ ]+ \"1\" \"[^\"]*\"/.TH ${name^^} 1 \"\"/
    s/^connectid (\\\\- )/${name//-/\\\\-} \1/
    s/^\.SS \"(Exit status|Commands|The rule for scripts):\"/.SH \"\U\1\"/
    /^\.TH/a .nr HY 0\n.nh" |
  sed -z '# The summary is already in NAME. An example is not filled: each of its lines stays one.
    s/\n\.SH DESCRIPTION\n[^\n]*\n\.PP\n/\n.SH DESCRIPTION\n/
    s/\.IP\n\(\\f(CW>\)/.br\n\1/g
    s/\n\.SH EXAMPLES\n\.IP\n/&.nf\n/
    s/$/.fi\n/' >"$page"
