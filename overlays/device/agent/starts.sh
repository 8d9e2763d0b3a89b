# shellcheck shell=sh
# Counts the starts in a row of the committed slot that failed by themselves (docs/update.md). The initramfs judges the former
# start and begins the next one; the agent ends it. Both keep these lines in the record:
#   starts SLOT FAILED REACHED TRIED BEGUN
#     FAILED starts of the slot in a row failed. REACHED is 1 if its SSH server ran in one of the starts that followed the first
#     failed one. TRIED trials of the other slot followed. BEGUN is the firmware's count of starts when a start began that has
#     not ended yet, otherwise `ended`.
#   starts_reason  why the last start failed, or why the slot in starts_left was left
#   starts_left    the slot that was left because it failed; only the commit of an update or a revert clears it
#   starts_stays   why this slot stays although it fails
# POSIX; sourced under dash on the host and under busybox ash in the initramfs. Needs the functions of record.sh.

# After this many failed starts in a row, the other slot boots on trial.
MOST_FAILED=3
# The other slot gets this many trials if power cuts end them.
MOST_TRIED=3
LAST_SEEN='last seen: '
BY_ITSELF='it restarted by itself before it was healthy: a panic or a hang'

is_count() { case $1 in '' | *[!0-9]*) return 1 ;; esac && [ ${#1} -le 3 ]; }

# starts_load SLOT: sets FAILED, REACHED, TRIED and BEGUN. The starts of another slot say nothing about this one.
starts_load() {
  COUNTED=$1 FAILED=0 REACHED=0 TRIED=0 BEGUN=ended
  record_read starts
  # shellcheck disable=SC2086
  set -- "$1" $VALUE
  { [ $# -eq 6 ] && [ "$2" = "$1" ] && is_count "$3" && is_count "$4" && is_count "$5"; } || return 0
  FAILED=$3 REACHED=$4 TRIED=$5 BEGUN=$6
}

# starts_set [KEY VALUE]…: records the counts, and these keys.
starts_set() { record_set starts "$COUNTED $FAILED $REACHED $TRIED $BEGUN" "$@"; }

count_failure() { [ "$FAILED" -ge 999 ] || FAILED=$((FAILED + 1)); }

# was_reset STARTS COUNT: true if the firmware has counted exactly STARTS starts since BEGUN: the machine was reset and kept its
# power. A power cut clears the firmware's count, so the counts 0 and 1 prove nothing. A firmware without a count reports 0.
was_reset() { is_count "$BEGUN" && [ "$2" -ge 2 ] && [ "$2" -eq $((BEGUN + $1)) ]; }

# starts_begin SLOT OTHER COUNT: judges how the former start ended, and records that a start of the committed SLOT begins.
# Sets NEXT to `trial` if the other slot has to boot next, otherwise to `start`. Needs other_can_boot.
#
# One write contains all of this. It comes before the slot is opened, because the slot may panic at any later moment, and the
# next start must know that this one has begun. A power cut during the write leaves the former record, so that no start is
# counted twice.
starts_begin() {
  NEXT=start
  # A fallback boot, or a damaged autoboot.txt: the committed slot does not run.
  record_read committed
  case $VALUE in '' | "$1") ;; *) return 0 ;; esac
  starts_load "$1"
  record_read starts_reason
  why=$VALUE
  record_read starts_stays
  stays=$VALUE reverted=''
  if other_was_tried "$2"; then judge_trial "$@"; else judge_start "$3"; fi
  [ "$FAILED" -lt $MOST_FAILED ] || [ -n "$stays" ] || decide_next "$2"
  BEGUN=$3
  if [ $NEXT = trial ]; then starts_arm "$1" "$2" "slot $1 failed at $FAILED starts in a row: $why" && return 0; fi
  NEXT=start
  set -- starts_reason "$why" starts_stays "$stays"
  [ -z "$reverted" ] || set -- "$@" phase reverted reason "$reverted"
  starts_set "$@"
}

# A start failed by itself only if the machine was reset before the start had ended. Everything else may have been the owner.
judge_start() {
  was_reset 1 "$1" || return 0
  count_failure
  why=$BY_ITSELF
}

# Sets UPDATE to kind, slot and phase of the last update.
last_update() {
  record_read kind
  UPDATE=$VALUE
  record_read slot
  UPDATE=$UPDATE:$VALUE
  record_read phase
  UPDATE=$UPDATE:$VALUE
}

# other_was_tried OTHER: true if this slot had armed a trial of the other one, which was not committed.
other_was_tried() {
  [ "$TRIED" -gt 0 ] || return 1
  last_update
  case $UPDATE in "rescue:$1:armed" | "rescue:$1:trial") ;; *) return 1 ;; esac
}

# The trial failed by itself if it recorded why, or if the machine was reset during it: both slots fail. A trial that may have
# lost its power proves nothing.
judge_trial() {
  record_read reason
  reverted=$VALUE
  case $reverted in
    "$LAST_SEEN"* | "slot $1 "* | '')
      seen=${reverted#"$LAST_SEEN"}
      [ "$seen" != "$reverted" ] || seen=''
      reverted="it ended before it was healthy: a panic, a hang or a power cut${seen:+; $LAST_SEEN$seen}"
      was_reset 2 "$3" || return 0
      reverted="$BY_ITSELF${seen:+; $LAST_SEEN$seen}"
      ;;
  esac
  stays="slot $2 fails too: $(brief "$reverted")"
}

# decide_next OTHER. Never goes back to a slot that was left, so that two failing slots do not alternate.
decide_next() {
  record_read starts_left
  if [ -n "$VALUE" ]; then stays="slot $1 was left before, because it failed"
  elif [ "$TRIED" -ge $MOST_TRIED ]; then stays="$TRIED trials of slot $1 ended before it was healthy"
  elif other_was_committed "$1" && other_can_boot; then NEXT=trial
  fi
}

# other_was_committed OTHER: true if the other slot was committed before. Writing to it leaves only the root hash of the
# running slot in the list, and the next commit adds the second one.
other_was_committed() {
  last_update
  case $UPDATE in "update:$1:"*) return 1 ;; esac
  record_read previously_committed
  # shellcheck disable=SC2086
  set -- $VALUE
  [ $# -eq 2 ]
}

# starts_arm SLOT OTHER REASON: records a trial of the other slot, which commits itself when it is healthy, with a snapshot of
# today's data. The caller sets the firmware's flag afterwards: a trial always finds its record.
starts_arm() {
  TRIED=$((TRIED + 1))
  why=$(brief "$3")
  starts_set phase armed kind rescue id rescue slot "$2" root - data snapshot commit local seconds 300 reason "$why" \
    committed "$1" starts_reason "$why" starts_stays ''
}

# The record has room for one long reason only.
brief() { printf '%.300s' "$1"; }
