# complete.zsh FOLDER TEXT...: the arguments that zsh makes of each text and a tab,
# with FOLDER/_graphc.
zmodload zsh/zpty || exit 1
cat > $1/.zshrc <<'RC'
PS1=
fpath=($ZDOTDIR $fpath)
autoload -Uz compinit && compinit -D -u
bindkey '^I' complete-word '^X' accept-line
graphc() { print made: $@ }
RC
export ZDOTDIR=$1
for text in ${@:2}; do
  zpty shell zsh -d -i
  zpty -n -w shell $text$'\t\x18'
  zpty -r -m shell line $'*made: *\n'
  print -r -- ${${line##*made: }%%$'\r'*}
  zpty -d shell
done
