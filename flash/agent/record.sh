# shellcheck shell=sh
# The record of the last update (docs/agent-protocol.md): text in two places of the identity partition, written in turn.
# POSIX; sourced under dash on the host and under busybox ash in the initramfs. Wants RUN, IDENTITY and, where calls run
# beside each other, OWN: a directory that is no other's.

RECORD_FORMAT="hangar-record 1"
# In blocks of 4096 bytes: 8 MiB and 24 MiB, clear of the identity's own copies.
RECORD_PLACES="2048 6144"

# record_copy PLACE FILE: its text, if it is whole.
record_copy() {
  dd if="$IDENTITY" bs=4096 skip="$1" count=1 2>/dev/null | tr -d '\0' >"$2"
  [ "$(head -n 1 "$2")" = "$RECORD_FORMAT" ] || return 1
  [ "sha256 $(sed '$d' "$2" | sha256sum | cut -d' ' -f1)" = "$(tail -n 1 "$2")" ]
}

# Sets RECORD to a file with the newest whole record, empty where there is none, and RECORD_PLACE to where it lies.
record_load() {
  RECORD_DIR=${OWN:-$RUN} RECORD_SEQUENCE=0 RECORD_PLACE=none
  RECORD=$RECORD_DIR/record
  : >"$RECORD"
  for place in $RECORD_PLACES; do
    record_copy "$place" "$RECORD_DIR/record.$place" || continue
    sequence=$(sed -n 's/^sequence //p' "$RECORD_DIR/record.$place")
    case $sequence in '' | *[!0-9]*) continue ;; esac
    [ "$sequence" -gt "$RECORD_SEQUENCE" ] || continue
    RECORD_SEQUENCE=$sequence RECORD_PLACE=$place
    sed -e '1,2d' -e '$d' "$RECORD_DIR/record.$place" >"$RECORD"
  done
}

record_get() { sed -n "s/^$1 //p" "$RECORD" | head -n 1; }

# record_set KEY VALUE…: changes keys and leaves the others; the place that does not count is the one that is written.
record_set() (
  command -v flock >/dev/null 2>&1 && exec 8>"$RUN/record.lock" && flock 8
  record_load
  while [ $# -ge 2 ]; do
    value=$(printf '%s' "$2" | tr '\n\t' '  ' | cut -c 1-1500)
    sed -i "/^$1 /d" "$RECORD"
    printf '%s %s\n' "$1" "$value" >>"$RECORD"
    shift 2
  done
  record_write
)

record_write() {
  case $RECORD_PLACE in 2048) place=6144 ;; *) place=2048 ;; esac
  {
    printf '%s\nsequence %s\n' "$RECORD_FORMAT" $((RECORD_SEQUENCE + 1))
    cat "$RECORD"
  } >"$RECORD_DIR/record.new"
  printf 'sha256 %s\n' "$(sha256sum <"$RECORD_DIR/record.new" | cut -d' ' -f1)" >>"$RECORD_DIR/record.new"
  [ "$(wc -c <"$RECORD_DIR/record.new")" -le 4096 ] || return 1
  # Filled up, so that one write of the whole place is all there is.
  { cat "$RECORD_DIR/record.new"; head -c 4096 /dev/zero; } | head -c 4096 >"$RECORD_DIR/record.block"
  dd if="$RECORD_DIR/record.block" of="$IDENTITY" bs=4096 seek="$place" count=1 conv=notrunc,fsync 2>/dev/null || return 1
  record_copy "$place" "$RECORD_DIR/record.$place"
}
