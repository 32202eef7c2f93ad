#!/usr/bin/env zsh
# offered_by_zsh.zsh DIRECTORY LINE: prints what an interactive zsh offers at the end of LINE, a word a line, where DIRECTORY
# holds the completions.
setopt err_exit no_unset
zmodload zsh/zpty

work=$(mktemp -d)
print -r -- $2 >$work/line

# The inner shell completes as soon as its line editor begins, and ends. Each word on offer passes compadd; with -O, -A
# or -D it only asks which would.
cat >$work/.zshrc <<'RC'
fpath=($DIRECTORY $fpath)
autoload -Uz compinit
compinit -u -D
LISTMAX=1000  # a list longer than the screen is not asked about
compadd() {
  if ! (( ${argv[(I)-[OAD]]} )); then
    local -a offered
    builtin compadd -O offered "$@"
    print -rl -- $offered >>$ZDOTDIR/offered
  fi
  builtin compadd "$@"
}
zle-line-init() {
  BUFFER=$(<$ZDOTDIR/line)
  CURSOR=$#BUFFER
  zle list-choices
  exit
}
zle -N zle-line-init
RC

touch $work/offered
zpty inner "env ZDOTDIR=${(q)work} DIRECTORY=${(q)1:A} TERM=dumb zsh -d -i"
while zpty -r inner; do :; done >$work/screen || true
cat $work/offered
rm -rf $work
