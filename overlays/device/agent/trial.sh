# shellcheck shell=sh
# A trial from arming to its end: committed, or back on the slot that was committed all along.
# POSIX; sourced under dash.

# arm OWNER ID ROOT --data snapshot|as-was --commit controller|local --seconds N
arm() {
  { [ $# -eq 9 ] && [ "$4$6$8" = --data--commit--seconds ]; } || usage arm "$@"
  { is_word "$2" && is_hash "$3" && is_number "$9"; } || usage arm "$@"
  case $5:$7 in snapshot:controller | snapshot:local | as-was:controller | as-was:local) ;; *) usage arm "$@" ;; esac
  lock_take "$1"
  [ "$(boot_state)" != trial ] || fail busy 'this boot is a trial that is not decided yet' 'wait until it commits or ends: npm run status'
  # Or armed already: an answer may have been lost.
  case $(record_get kind):$(record_get phase):$(record_get slot):$(record_get root) in
    "update:written:$OTHER:$3" | "update:armed:$OTHER:$3") ;;
    *) fail state "slot $OTHER was not written with $3 last" 'write it first: the flash command does' ;;
  esac
  arm_other update "$2" "$3" "$5" "$7" "$9"
  jq -cn --arg id "$2" '{ok: true, id: $id}'
}

# arm_other KIND ID ROOT DATA COMMIT SECONDS. The record comes first: a trial that starts always finds what it is.
arm_other() {
  if [ "$(cat "$RUN/verified" 2>/dev/null)" != "$3" ]; then
    { verify_slot "$OTHER" "$OWN/other" && [ "$VERIFIED_ROOT" = "$3" ]; } ||
      fail incomplete "slot $OTHER does not hold $3 whole" 'write it again: npm run flash'
  fi
  record_set phase armed kind "$1" id "$2" slot "$OTHER" root "$3" data "$4" commit "$5" seconds "$6" reason '' committed "$SLOT" ||
    fail disk "cannot write the record to $IDENTITY" 'the disk may be failing: see the kernel log on the host (dmesg)'
  tryboot_set 1 || {
    # What does not say that it is set may be.
    tryboot_set 0
    record_set phase reverted reason 'the firmware does not take the trial flag'
    fail firmware 'the firmware does not take the trial flag' 'update the EEPROM; nothing has changed on this host'
  }
}

# An answer first: the connection ends with the host.
go_down() {
  ok
  systemctl reboot --no-block >/dev/null 2>&1
}

trial_fact() { sed -n "s/^$1 //p" "$RUN/trial" 2>/dev/null; }

LAST_SEEN='last seen: '
WAITS='healthy, and waits for the controller to reach this host and commit'

# commit ID ROOT
commit() {
  [ $# -eq 2 ] || usage commit "$@"
  if [ "$(record_get id)" != "$1" ] || [ "$(record_get root)" != "$2" ] || [ "$ROOT_HASH" != "$2" ]; then
    fail state "trial '$1' of $2 is not what runs: this is $ROOT_HASH, the last trial was '$(record_get id)'" 'another controller may have been here: npm run status'
  fi
  if [ "$(record_get phase)" != committed ]; then
    [ "$(boot_state)" = trial ] || fail state 'this boot is no trial' 'npm run status says what became of it'
    reasons=$(health_reasons)
    [ -z "$reasons" ] || fail unhealthy "not healthy: $(echo "$reasons" | head -n 3 | tr '\n' ';')" 'it may still become so: npm run status'
    commit_now || fail disk 'autoboot.txt cannot be written' 'the disk may be failing; the slot that was committed stays so'
  fi
  jq -cn --arg slot "$SLOT" '{ok: true, slot: $slot}'
}

# Data first, which is written out twice a minute only: the slot that boots from then on finds what was judged healthy.
# Then the intent, for the repair; then the one sector that decides everything, read back; only then what follows from it.
commit_now() {
  sync -f "$DATA_DIR" || return 1
  record_set phase committing reason '' committed "$SLOT" previously_committed "$(committed_roots)" || return 1
  selector_write "$SLOT" || return 1
  # The sector has decided.
  finish_commit || say 'keys and serial of what was committed cannot be saved: the next start tries again'
  : >"$RUN/committed"
  rm -f "$RUN/trial" "$RUN/seen-health"
}

# Repeated at the next start where the power went before its end.
finish_commit() {
  renew_trust || return 1
  record_set phase committed reason ''
}

# Keys change by the commit of an update that is not older than any before: a revert brings none back.
renew_trust() {
  [ "$(record_get kind)" = update ] || return 0
  serial=$(record_get serial)
  [ -n "$serial" ] || return 0
  jq -en --arg new "$serial" --arg floor "$(cat "$TRUST/serial")" '[$new, $floor] | map(split(" ") | map(tonumber)) | .[0] >= .[1]' >/dev/null || return 0
  # What the image no longer names is revoked, and stays so whatever a later one names.
  keys_in "$LIB/signing" | sort -u >"$OWN/named"
  { keys_in "$TRUST/revoked"; keys_in "$TRUST/signing" | grep -vxF -f "$OWN/named"; } | sort -u >"$OWN/revoked"
  grep -vxF -f "$OWN/revoked" "$OWN/named" >"$OWN/signing"
  # An image that names no key that counts would lock everybody out.
  [ -s "$OWN/signing" ] || return 0
  cp "$OWN/revoked" "$TRUST/revoked" && cp "$OWN/signing" "$TRUST/signing" && echo "$serial" >"$TRUST/serial" || return 1
  "$LIB/identity" save
}

# hangar-trial.service: waits for health, and for the controller where one drives; gives up at the deadline.
run_trial() {
  # A commit takes the file away.
  seconds=$(trial_fact seconds)
  until decided_trial; do
    if [ "$(uptime_seconds)" -ge "$seconds" ]; then
      abandon_trial "not so within $seconds seconds: $(record_reasons)"
      return
    fi
    await_change
  done
}

# A host that starts has better things to do than to be asked how far it is: systemd says when it has started. One that is
# healthy has its controller's commit to work on.
await_change() {
  case $reasons in
    *'still starting'*)
      left=$((seconds - $(uptime_seconds)))
      [ "$left" -le 30 ] || left=30
      # `timeout 0` waits for ever.
      [ "$left" -ge 1 ] || left=1
      timeout "$left" systemctl is-system-running --wait >/dev/null 2>&1 || sleep 2
      ;;
    "$WAITS") sleep 10 ;;
    *) sleep 2 ;;
  esac
}

decided_trial() {
  [ ! -e "$RUN/committed" ] || return 0
  reasons=$(health_reasons)
  printf '%s' "$reasons" >"$RUN/seen-health.new" && mv "$RUN/seen-health.new" "$RUN/seen-health"
  if [ -z "$reasons" ]; then
    reasons=$WAITS
    if [ "$(trial_fact commit)" = local ]; then
      commit_now && return 0
      reasons='healthy, and its commit cannot be written: the disk may be failing'
    fi
  fi
  remember "$reasons"
  return 1
}

# Only what is new: each is a write to the disk. Nothing once it is abandoned, whose reason says more; under the record's
# lock, since whoever abandons it may do so right now.
remember() {
  [ "$(cat "$RUN/reasons" 2>/dev/null)" != "$1" ] || return 0
  echo "$1" >"$RUN/reasons"
  { flock 8 && [ ! -e "$RUN/abandoned" ] && record_change reason "$LAST_SEEN$(echo "$1" | head -n 8 | tr '\n' ';')"; } 8>"$RUN/record.lock"
}

record_reasons() { tr '\n' ';' <"$RUN/reasons" 2>/dev/null | cut -c 1-1000; }

# abandon_trial REASON: back to the committed slot, and why.
abandon_trial() {
  [ -e "$RUN/trial" ] || return 0
  [ ! -e "$RUN/committed" ] || return 0
  say "the trial ends: $1"
  # The first reason is why.
  [ -e "$RUN/abandoned" ] || { : >"$RUN/abandoned" && record_set reason "$1"; }
  sync
  # What hangs in shutting down must not keep a trial alive.
  systemctl reboot --no-block
  sleep 30
  systemctl reboot --force --force
}
