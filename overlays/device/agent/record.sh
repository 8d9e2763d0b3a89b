# shellcheck shell=sh
# Reads and writes the record of the last update (docs/agent-protocol.md): text in two places of the identity partition,
# written in turn. Uses variables instead of files and programs, because it runs while the services of a trial start.
# POSIX; sourced under dash on the host and under busybox ash in the initramfs. Needs RUN and IDENTITY.

RECORD_FORMAT="hangar-record 1"
# Block numbers (4096 bytes) of 8 MiB and 24 MiB, which the two copies of the identity leave free.
RECORD_PLACES="2048 6144"
NL='
'

# read_line KEY TEXT: sets VALUE to the rest of the first line that begins with KEY. Fails if there is none.
read_line() {
  VALUE='' text=$NL$2
  before=${text%%"$NL$1"*}
  [ "$before" != "$text" ] || return 1
  text=${text#"$before$NL$1"}
  VALUE=${text%%"$NL"*}
}

# line_value KEY TEXT: prints that value.
line_value() { ! read_line "$1" "$2" || printf '%s\n' "$VALUE"; }

record_digest() {
  digest=$(printf '%s' "$1" | sha256sum)
  printf '%s' "${digest%% *}"
}

# record_copy PLACE: sets COPY to the text of that copy without its digest. Fails if the copy is damaged.
record_copy() {
  copy=$(dd if="$IDENTITY" bs=4096 skip="$1" count=1 2>/dev/null | tr -d '\0')
  COPY=${copy%sha256 *}
  case $COPY in "$RECORD_FORMAT${NL}sequence "*"$NL") ;; *) return 1 ;; esac
  [ "$copy" = "${COPY}sha256 $(record_digest "$COPY")" ]
}

# Sets RECORD to the lines of the newest undamaged copy, and RECORD_PLACE to its place. RECORD is empty if there is none.
record_load() {
  RECORD='' RECORD_SEQUENCE=0 RECORD_PLACE=none
  for place in $RECORD_PLACES; do
    record_copy "$place" || continue
    sequence=$(line_value 'sequence ' "$COPY")
    case $sequence in '' | *[!0-9]*) continue ;; esac
    [ "$sequence" -gt "$RECORD_SEQUENCE" ] || continue
    RECORD_SEQUENCE=$sequence RECORD_PLACE=$place
    RECORD=${COPY#"$RECORD_FORMAT${NL}sequence $sequence$NL"}
  done
}

record_get() { line_value "$1 " "$RECORD"; }

# record_read KEY: sets VALUE, empty without the key. Unlike record_get, needs no process.
record_read() { read_line "$1 " "$RECORD" || :; }

# record_set KEY VALUE…: changes these keys and keeps the others. Writes to the place that does not hold the newest copy.
record_set() { { record_change "$@"; } 8>"$RUN/record.lock"; }

record_change() {
  # Several calls may run at the same time. The initramfs has no flock and needs none.
  if command -v flock >/dev/null 2>&1; then flock 8; fi
  record_load
  while [ $# -ge 2 ]; do
    if is_plain "$2"; then record_put "$1" "$2"; else record_put "$1" "$(record_value "$2")"; fi
    shift 2
  done
  record_write
}

is_plain() { case $1 in *[!\ -~]*) return 1 ;; esac && [ ${#1} -le 1500 ]; }

# Prints a value on one line, cut to a length that fits its place.
record_value() { printf '%s' "$1" | tr '\n\t' '  ' | cut -c 1-1500; }

record_put() {
  text=$NL$RECORD
  before=${text%%"$NL$1 "*}
  if [ "$before" != "$text" ]; then
    text=${text#"$before$NL"}
    text=$before$NL${text#"${text%%"$NL"*}$NL"}
  fi
  RECORD="${text#"$NL"}$1 $2$NL"
}

record_write() {
  case $RECORD_PLACE in 2048) place=6144 ;; *) place=2048 ;; esac
  text="$RECORD_FORMAT${NL}sequence $((RECORD_SEQUENCE + 1))$NL$RECORD"
  text="${text}sha256 $(record_digest "$text")$NL"
  [ ${#text} -le 4096 ] || return 1
  # Padded with zeros, so that a single write replaces the whole place.
  printf '%s' "$text" | dd of="$IDENTITY" bs=4096 seek="$place" count=1 iflag=fullblock conv=sync,notrunc,fsync 2>/dev/null || return 1
  record_copy "$place"
}
