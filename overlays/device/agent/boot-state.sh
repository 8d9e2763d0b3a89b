# shellcheck shell=sh
# Decides what this boot is, before anything else runs, from the record, the firmware and the selector.
# POSIX; sourced under dash.

# In the initramfs' chroot, before systemd and before any service touches data: what this boot is, and whether the
# selector is whole.
decide_boot_state() {
  if came_back; then decide_return; else decide_start; fi
  [ -e "$RUN/trial" ] || boot_as_fallback || repair_selector
}

decide_start() {
  case $(record_get kind):$(record_get phase) in
    rescue:armed | rescue:trial) decide_rescue ;;
    *:armed) if [ "$(fact TRYBOOT)" = 0 ]; then record_reverted 'it never got as far as its health check: a panic, a hang, or the power was cut'; else begin_armed; fi ;;
    *:trial) record_reverted 'it ended before it was healthy: a panic, a hang, or the power was cut' ;;
    *:committing) resume_commit ;;
    *) [ "$(fact TRYBOOT)" = 0 ] || begin_by_hand ;;
  esac
}

# The flag was for the other slot, in which the firmware found nothing to start: it went on to the committed one
# (PARTITION_WALK). That is no trial of it: one would take the other slot's data for today's.
came_back() { [ "$(fact TRYBOOT)" != 0 ] && [ "$(intended_slot)" = "$SLOT" ]; }

decide_return() {
  # The initramfs' watcher waits for it.
  : >"$RUN/committed"
  case $(record_get phase) in
    armed | trial) record_reverted 'the firmware could not start it, and came back' ;;
    committing) resume_commit ;;
    *) say "the flag for a trial was set, and slot $OTHER has nothing to start" ;;
  esac
}

# A committed slot could not start, and this one was armed from its initramfs, which could not know what it holds.
decide_rescue() {
  if [ "$(fact TRYBOOT)" != 0 ] && [ "$(record_get slot)" = "$SLOT" ]; then
    record_set phase trial root "$ROOT_HASH"
    begin_trial
  else record_reverted 'the other slot could not be tried'; fi
}

begin_armed() {
  if [ "$(record_get root)" = "$ROOT_HASH" ] && [ "$(record_get slot)" = "$SLOT" ]; then
    record_set phase trial
    begin_trial
  else begin_by_hand; fi
}

# Nobody armed this: it may prove itself as any other. A serial would be another one's, and its commit would take this
# image's keys for newer ones.
begin_by_hand() {
  say 'this boot is a trial that nobody recorded'
  begin_own update by-hand ''
}

# The committed slot has nothing that a firmware could start, and the firmware went on to this one (PARTITION_WALK): it
# goes on with today's data. Where it was not healthy on those the next start stays up as it is, so that somebody can look;
# the one after that tries again.
boot_as_fallback() {
  [ "$(fact TRYBOOT):$(intended_slot)" = "0:$OTHER" ] || return 1
  : >"$RUN/fallback"
  ! can_boot "$OTHER" || return 1
  if [ "$(record_get kind):$(record_get phase):$(record_get slot):$(record_get id)" = "rescue:reverted:$SLOT:rescue" ]; then
    record_set id looked-at
    return 1
  fi
  say "slot $OTHER is committed and cannot boot: slot $SLOT goes on with its data"
  begin_own rescue rescue "slot $OTHER cannot boot"
}

intended_slot() {
  intended=$(selector_slot)
  [ "$intended" != damaged ] || intended=$(record_get committed)
  echo "$intended"
}

# begin_own KIND ID REASON: a trial of what runs that commits itself.
begin_own() {
  record_set phase trial kind "$1" id "$2" slot "$SLOT" root "$ROOT_HASH" data snapshot commit local seconds 300 reason "$3" serial ''
  begin_trial
}

begin_trial() {
  for key in id data commit seconds; do echo "$key $(record_get $key)"; done >"$RUN/trial"
  # Whole or not at all: the initramfs' watcher may read it at any moment, and what is empty would be no time.
  trial_fact seconds | head -c 6 >"$RUN/deadline.new" && mv "$RUN/deadline.new" "$RUN/deadline"
}

# What the trial ended itself for says more than what can be told from outside; what it last waited for does not.
record_reverted() {
  reason=$(record_get reason)
  case $reason in
    '') reason=$1 ;;
    "$LAST_SEEN"*) reason="$1; $reason" ;;
  esac
  say "the trial of slot $(record_get slot) was not committed: $reason"
  record_set phase reverted reason "$reason"
}

# Power went between the intent and the end of the commit: the selector's sector has decided.
resume_commit() {
  if [ "$(record_get root)" = "$ROOT_HASH" ] && [ "$(record_get slot)" = "$SLOT" ] && [ "$(fact TRYBOOT)" = 0 ]; then finish_commit
  else
    record_reverted 'the power was cut while it was being committed'
    # The intent named the other one.
    record_set committed "$SLOT"
  fi
}

# A selector that is damaged boots slot a, whatever was committed (firmware). Only what is neither of our two versions is
# repaired: one that names a slot was meant.
repair_selector() {
  [ "$(selector_slot)" = damaged ] || return 0
  committed=$(record_get committed)
  is_slot "$committed" || committed=$SLOT
  # No firmware starts slot b by accident: somebody's own autoboot.txt says so.
  [ "$SLOT" = a ] || committed=$SLOT
  if [ "$committed" != "$SLOT" ] && ! has_boot_sector "$committed"; then committed=$SLOT; fi
  say "autoboot.txt is damaged; writing it again for slot $committed"
  record_set committed "$committed"
  if ! selector_write "$committed"; then
    say 'autoboot.txt cannot be written'
    [ "$committed" = "$SLOT" ] || echo "autoboot.txt is damaged and cannot be written: slot $SLOT runs, slot $committed is committed and has the data" >"$RUN/wrong-slot"
  elif [ "$committed" != "$SLOT" ]; then
    say "starting again, into slot $committed"
    # Not from here: systemd's reboot does nothing in a chroot.
    : >"$RUN/restart"
  fi
}
