# shellcheck shell=sh
# Arms, runs and commits a trial. A trial that is not committed ends with a reboot into the committed slot.
# POSIX; sourced under dash.

# arm OWNER ID ROOT --data snapshot|as-was --commit controller|local --seconds N
arm() {
  { [ $# -eq 9 ] && [ "$4$6$8" = --data--commit--seconds ]; } || usage arm "$@"
  { is_word "$2" && is_hash "$3" && is_number "$9"; } || usage arm "$@"
  case $5:$7 in snapshot:controller | snapshot:local | as-was:controller | as-was:local) ;; *) usage arm "$@" ;; esac
  lock_take "$1"
  require_no_trial
  # The same trial may be armed already: the answer to an earlier call may have been lost.
  case $(record_get kind):$(record_get phase):$(record_get slot):$(record_get root) in
    "update:written:$OTHER:$3" | "update:armed:$OTHER:$3") ;;
    *) fail state "slot $OTHER does not hold generation $3" "write and try it: npm run flash $HOST" ;;
  esac
  arm_other update "$2" "$3" "$5" "$7" "$9"
  jq -cn --arg id "$2" '{ok: true, id: $id}'
}

# arm_other KIND ID ROOT DATA COMMIT SECONDS. Writes the record before the flag: a trial always finds its record.
arm_other() {
  if [ "$(cat "$RUN/verified" 2>/dev/null)" != "$3" ]; then
    { verify_slot "$OTHER" "$OWN/other" && [ "$VERIFIED_ROOT" = "$3" ]; } ||
      fail incomplete "slot $OTHER does not hold generation $3 completely" "write it again: npm run flash $HOST"
  fi
  record_set phase armed kind "$1" id "$2" slot "$OTHER" root "$3" data "$4" commit "$5" seconds "$6" reason '' committed "$SLOT" ||
    fail_disk "cannot write the record to $IDENTITY"
  tryboot_set 1 || {
    # The flag may be set although the firmware does not confirm it.
    tryboot_set 0
    record_set phase reverted reason 'the firmware does not confirm the trial flag'
    fail firmware 'the firmware does not confirm the trial flag: no trial was started' 'update the EEPROM of the board, then run the same command again'
  }
}

# Answers before the reboot closes the connection.
reboot_host() {
  ok
  systemctl reboot --no-block >/dev/null 2>&1
}

trial_fact() { sed -n "s/^$1 //p" "$RUN/trial" 2>/dev/null; }

WAITING='healthy, and waits for the controller to reach this host and commit'

# commit ID ROOT
commit() {
  [ $# -eq 2 ] || usage commit "$@"
  if [ "$(record_get id)" != "$1" ] || [ "$(record_get root)" != "$2" ] || [ "$ROOT_HASH" != "$2" ]; then
    fail state "trial '$1' of generation $2 does not run: generation $ROOT_HASH runs, and the last trial was '$(record_get id)'" "another controller may have updated this host: npm run status $HOST"
  fi
  if [ "$(record_get phase)" != committed ]; then
    [ "$(boot_state)" = trial ] || fail state 'cannot commit: this boot is not a trial' "see how the trial ended: npm run status $HOST"
    reasons=$(health_reasons)
    [ -z "$reasons" ] || fail unhealthy "cannot commit: not healthy: $(echo "$reasons" | head -n 3 | tr '\n' ';')" "the host may still become healthy: npm run status $HOST"
    commit_now || fail_disk "cannot write the commit: slot $OTHER stays committed"
  fi
  jq -cn --arg slot "$SLOT" '{ok: true, slot: $slot}'
}

# Syncs the data first, because btrfs commits only every 30 seconds: the committed slot must find the data that was healthy.
# Then records the intent, which a repair of autoboot.txt needs; then writes the sector that decides; then the trusted keys.
# commit_now [STAYS]: the reason why this slot is committed although it is not healthy.
commit_now() {
  sync -f "$DATA_DIR" || return 1
  was_left='' why=''
  [ "$(record_get kind)" != rescue ] || was_left=$OTHER why=$(record_get starts_reason)
  record_set phase committing reason '' committed "$SLOT" previously_committed "$(committed_roots)" \
    starts "$SLOT 0 0 0 ended" starts_reason "$why" starts_left "$was_left" starts_stays "${1:-}" || return 1
  selector_write "$SLOT" || return 1
  # From here on the commit has happened.
  finish_commit || say 'cannot save the keys and the serial of the committed image: the next boot tries again'
  : >"$RUN/committed"
  rm -f "$RUN/trial" "$RUN/seen-health"
  publish_starts
}

# The next boot repeats this if the power was cut before the end.
finish_commit() {
  renew_trust || return 1
  record_set phase committed reason ''
}

# Only the commit of an update that is not older than any before changes the keys: a revert restores no revoked key.
renew_trust() {
  [ "$(record_get kind)" = update ] || return 0
  serial=$(record_get serial)
  [ -n "$serial" ] || return 0
  jq -en --arg new "$serial" --arg floor "$(cat "$TRUST/serial")" '[$new, $floor] | map(split(" ") | map(tonumber)) | .[0] >= .[1]' >/dev/null || return 0
  # A key that the image no longer names is revoked for good, even if a later image names it again.
  keys_in "$LIB/signing" | sort -u >"$OWN/named"
  { keys_in "$TRUST/revoked"; keys_in "$TRUST/signing" | grep -vxF -f "$OWN/named"; } | sort -u >"$OWN/revoked"
  grep -vxF -f "$OWN/revoked" "$OWN/named" >"$OWN/signing"
  # Without any trusted key this host would refuse every update.
  [ -s "$OWN/signing" ] || return 0
  cp "$OWN/revoked" "$TRUST/revoked" && cp "$OWN/signing" "$TRUST/signing" && echo "$serial" >"$TRUST/serial" || return 1
  "$LIB/identity" save
}

# hangar-trial.service: waits until the host is healthy, and commits or waits for the controller. Abandons the trial at its deadline.
run_trial() {
  # Read now: a commit removes the file.
  seconds=$(trial_fact seconds)
  until trial_ended; do
    if [ "$(uptime_seconds)" -ge "$seconds" ]; then
      abandon_trial "not committed within $seconds seconds: $(last_reasons)"
      [ ! -e "$RUN/committed" ] || watch
      return
    fi
    wait_for_change
  done
}

# Health checks slow down a host that still starts, so this waits for systemd to report the end of the start. A healthy host
# needs its processors for the controller's commit.
wait_for_change() {
  case $reasons in
    *'still starting'*)
      left=$((seconds - $(uptime_seconds)))
      [ "$left" -le 30 ] || left=30
      # `timeout 0` would wait without a limit.
      [ "$left" -ge 1 ] || left=1
      timeout "$left" systemctl is-system-running --wait >/dev/null 2>&1 || sleep 2
      ;;
    "$WAITING") sleep 10 ;;
    *) sleep 2 ;;
  esac
}

trial_ended() {
  [ ! -e "$RUN/committed" ] || return 0
  reasons=$(health_reasons)
  printf '%s' "$reasons" >"$RUN/seen-health.new" && mv "$RUN/seen-health.new" "$RUN/seen-health"
  if [ -z "$reasons" ]; then
    reasons=$WAITING
    if [ "$(trial_fact commit)" = local ]; then
      commit_now && return 0
      reasons='healthy, but the commit cannot be written: the disk may be failing'
    fi
  fi
  record_reason "$reasons"
  return 1
}

# Records a reason that has changed: each one is a write to the disk. Records none after the trial was abandoned, because that
# reason says more. Holds the record's lock: `agent abandon` may run at the same time.
record_reason() {
  [ "$(cat "$RUN/reasons" 2>/dev/null)" != "$1" ] || return 0
  echo "$1" >"$RUN/reasons"
  { flock 8 && [ ! -e "$RUN/abandoned" ] && record_change reason "$LAST_SEEN$(echo "$1" | head -n 8 | tr '\n' ';')"; } 8>"$RUN/record.lock"
}

last_reasons() { tr '\n' ';' <"$RUN/reasons" 2>/dev/null | cut -c 1-1000; }

# stay_here REASON: commits this slot although it is not healthy, if it took the place of a slot that fails and got further than
# that one: both slots fail, and this one can be reached.
stay_here() {
  [ "$(record_get kind)" = rescue ] && [ "$(fact TRYBOOT)" != 0 ] || return 1
  starts_load "$OTHER"
  [ "$REACHED" = 0 ] && ssh_runs || return 1
  say "slot $SLOT is not healthy, and stays because it got further than slot $OTHER: $1"
  commit_now "slot $SLOT is not healthy, but got further than slot $OTHER: $(brief "$1")"
}

# abandon_trial REASON: reboots into the committed slot, and records the reason.
abandon_trial() {
  [ -e "$RUN/trial" ] || return 0
  [ ! -e "$RUN/committed" ] || return 0
  ! stay_here "$1" || return 0
  say "the trial of slot $SLOT ends, rebooting into slot $OTHER: $1"
  # The first reason is the cause.
  [ -e "$RUN/abandoned" ] || { : >"$RUN/abandoned" && record_set reason "$1"; }
  sync
  # A shutdown that hangs must not keep the trial running.
  systemctl reboot --no-block
  sleep 30
  systemctl reboot --force --force
}
