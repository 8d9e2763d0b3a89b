#!/bin/sh
# decrypt-secrets: decrypts the secrets of this host's services into memory, before the services start. It reads
# /usr/lib/hangar/secrets/table, which overlays/secret-files.ts writes, line by line:
#   container NAME UID    the lines that follow are for this container
#   file PATH             begins a file, which the next lines add to: it becomes /run/hangar/secrets/NAME/files/PATH
#   secret SECRET         adds the value of a secret to the file
#   text FILE             adds a text of the image to the file
#   variable NAME SECRET  adds a variable to /run/hangar/secrets/NAME/environment
#
# /run/hangar/secrets/NAME appears when all secrets of the container are there: a container without this directory does not
# start. The reason is in the journal and in /run/hangar/secrets-failed, which the health of the host reports.
# POSIX; runs under dash.
set -u

RUN=${HANGAR_RUN:-/run/hangar}
SOURCE=${HANGAR_LIB:-/usr/lib/hangar}/secrets
TARGET=$RUN/secrets
VALUES=$TARGET/.values
FAILED=$RUN/secrets-failed
KEYS=$RUN/identity/age

say() { echo "<3>hangar: secrets: $*" >&2; }

mount_memory() {
  mkdir -p "$TARGET" || return 1
  mountpoint -q "$TARGET" || mount -t tmpfs -o mode=0700,size=16M,nosuid,nodev,noexec,noswap secrets "$TARGET"
}

# decrypt SECRET: writes the value to $VALUES/SECRET. The host keeps its old keys, so that a reverted slot finds its key.
decrypt() {
  secret=$1
  [ ! -e "$VALUES/$secret" ] || return 0
  set --
  for key in "$KEYS/key" "$KEYS"/key.*; do [ ! -f "$key" ] || set -- "$@" --identity "$key"; done
  if [ $# -eq 0 ]; then
    fail_container "cannot decrypt '$secret': this host has no age key, because it made its own identity"
  elif ! age --decrypt "$@" "$SOURCE/$secret.age" >"$VALUES/.part" 2>"$VALUES/.error" </dev/null; then
    fail_container "cannot decrypt '$secret': $(head -n 1 "$VALUES/.error")"
  elif ! mv "$VALUES/.part" "$VALUES/$secret"; then
    fail_container "cannot store '$secret'"
  fi
}

# fail_container REASON: the first reason counts.
fail_container() {
  [ -n "$REASON" ] || REASON=$1
  return 1
}

begin_container() {
  CONTAINER=$1 OWNER=$2 REASON='' OUT=''
  NEW=$TARGET/.new-$CONTAINER
  rm -rf "$NEW"
  mkdir -p "$NEW/files" || fail_container 'cannot write to memory'
}

begin_file() {
  OUT=$NEW/files$1
  { mkdir -p "${OUT%/*}" && : >"$OUT"; } || fail_container "cannot write '$1' to memory"
}

add() { cat "$1" >>"$2" 2>/dev/null || fail_container "cannot write '${2#"$NEW/files"}' to memory"; }

add_secret() { ! decrypt "$1" || add "$VALUES/$1" "$OUT"; }

# podman reads one variable per line.
add_variable() {
  decrypt "$2" || return
  if [ "$(wc -l <"$VALUES/$2")" -ne 0 ]; then
    fail_container "the secret '$2' has line breaks, and the variable $1 cannot hold them"
    return
  fi
  { printf '%s=' "$1" && cat "$VALUES/$2" && echo; } >>"$NEW/environment" 2>/dev/null || fail_container "cannot write the variable $1 to memory"
}

# The container's user reads files through the mounts of podman; only root can enter the directories.
hand_over() {
  find "$NEW/files" -type f | while read -r file; do
    { chmod 0400 "$file" && chown "$OWNER" "$file"; } || exit 1
  done && rm -rf "${TARGET:?}/$CONTAINER" && mv "$NEW" "$TARGET/$CONTAINER"
}

end_container() {
  [ -n "$CONTAINER" ] || return 0
  [ -n "$REASON" ] || hand_over || fail_container 'cannot give the files to their user'
  [ -n "$REASON" ] || return 0
  rm -rf "$NEW" "${TARGET:?}/$CONTAINER"
  echo "$CONTAINER: $REASON" >>"$FAILED"
  say "$CONTAINER: $REASON"
}

read_table() {
  CONTAINER=''
  while read -r word first second; do
    case $word in
      container) end_container; begin_container "$first" "$second" ;;
      file) begin_file "$first" ;;
      secret) add_secret "$first" ;;
      text) add "$SOURCE/$first" "$OUT" ;;
      variable) add_variable "$first" "$second" ;;
    esac
  done <"$SOURCE/table"
  end_container
}

umask 077
rm -f "$FAILED"
mount_memory || { say "cannot mount $TARGET: the services that use secrets stay down"; exit 1; }
rm -rf "$VALUES"
mkdir "$VALUES" || exit 1
read_table
rm -rf "$VALUES"
