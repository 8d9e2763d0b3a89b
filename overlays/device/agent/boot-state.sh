# shellcheck shell=sh
# Decides what this boot is, before anything else runs, from the record, the firmware and the selector.
# POSIX; sourced under dash.

# Runs in the initramfs' chroot, before systemd and before any service uses data: decides whether this boot is a trial, and
# repairs a damaged selector.
decide_boot_state() {
  if trial_did_not_start; then decide_without_trial; else decide_start; fi
  [ -e "$RUN/trial" ] || boot_as_fallback || repair_selector
  publish_starts
}

decide_start() {
  case $(record_get kind):$(record_get phase) in
    rescue:armed | rescue:trial) decide_rescue ;;
    *:armed) if [ "$(fact TRYBOOT)" = 0 ]; then record_reverted 'it never got as far as its health check: a panic, a hang or a power cut'; else begin_armed; fi ;;
    *:trial) record_reverted 'it ended before it was healthy: a panic, a hang or a power cut' ;;
    *:committing) resume_commit ;;
    *) [ "$(fact TRYBOOT)" = 0 ] || begin_by_hand ;;
  esac
}

# The trial flag was set, but the firmware found nothing to start in the other slot and booted the committed one
# (PARTITION_WALK). This boot is not a trial: a trial would replace today's data with the data of the other slot.
trial_did_not_start() { [ "$(fact TRYBOOT)" != 0 ] && [ "$(intended_slot)" = "$SLOT" ]; }

decide_without_trial() {
  # This file ends the trial deadline of the initramfs.
  : >"$RUN/committed"
  case $(record_get phase) in
    armed | trial) record_reverted 'the firmware found nothing to start in the slot, and booted the committed slot' ;;
    committing) resume_commit ;;
    *) say "the trial flag was set, but slot $OTHER has nothing to start: slot $SLOT boots without a trial" ;;
  esac
}

# The initramfs of the committed slot could not start it, and armed this slot without knowing its root hash.
decide_rescue() {
  if [ "$(fact TRYBOOT)" != 0 ] && [ "$(record_get slot)" = "$SLOT" ]; then
    record_set phase trial root "$ROOT_HASH"
    begin_trial
  else record_reverted 'the firmware did not start the other slot'; fi
}

begin_armed() {
  if [ "$(record_get root)" = "$ROOT_HASH" ] && [ "$(record_get slot)" = "$SLOT" ]; then
    record_set phase trial
    begin_trial
  else begin_by_hand; fi
}

# The trial was not armed by the agent. It may commit as any other, but without a serial: the recorded one belongs to another
# image, and a commit would then accept the keys of this image as newer ones.
begin_by_hand() {
  say 'this boot is a trial that the record does not describe: it commits itself when it is healthy'
  begin_own update by-hand ''
}

# The firmware found nothing to start in the committed slot and booted this one (PARTITION_WALK): a fallback boot. It
# continues with a snapshot of today's data, on trial. If that trial fails, the next boot stays up without a trial, so that
# the owner can look at the host; the boot after that tries again.
boot_as_fallback() {
  [ "$(fact TRYBOOT):$(intended_slot)" = "0:$OTHER" ] || return 1
  : >"$RUN/fallback"
  ! can_boot "$OTHER" || return 1
  if [ "$(record_get kind):$(record_get phase):$(record_get slot):$(record_get id)" = "rescue:reverted:$SLOT:rescue" ]; then
    record_set id paused
    return 1
  fi
  say "slot $OTHER is committed and cannot boot: slot $SLOT continues with a snapshot of its data, on trial"
  begin_own rescue rescue "slot $OTHER cannot boot"
}

intended_slot() {
  intended=$(selector_slot)
  [ "$intended" != damaged ] || intended=$(record_get committed)
  echo "$intended"
}

# begin_own KIND ID REASON: begins a trial of the running slot that commits itself.
begin_own() {
  record_set phase trial kind "$1" id "$2" slot "$SLOT" root "$ROOT_HASH" data snapshot commit local seconds 300 reason "$3" serial '' starts_reason "$3"
  begin_trial
}

begin_trial() {
  for key in id data commit seconds; do echo "$key $(record_get $key)"; done >"$RUN/trial"
  # Renamed when complete: the deadline of the initramfs may read this file at any moment.
  trial_fact seconds | head -c 6 >"$RUN/deadline.new" && mv "$RUN/deadline.new" "$RUN/deadline"
}

# A reason that the trial recorded when it ended itself says more than the given one. The last state it waited for does not.
record_reverted() {
  reason=$(record_get reason)
  case $reason in
    '') reason=$1 ;;
    "$LAST_SEEN"*) reason="$1; $reason" ;;
  esac
  say "the trial of slot $(record_get slot) was not committed: $reason"
  record_set phase reverted reason "$reason"
}

# The power was cut after the commit was recorded as an intent: the selector's sector decides whether it happened.
resume_commit() {
  if [ "$(record_get root)" = "$ROOT_HASH" ] && [ "$(record_get slot)" = "$SLOT" ] && [ "$(fact TRYBOOT)" = 0 ]; then finish_commit
  else
    record_reverted 'the power was cut while it was being committed'
    # The intent had recorded the other slot, and that this one was left.
    record_set committed "$SLOT" starts_reason '' starts_left '' starts_stays ''
  fi
}

# With a damaged selector the firmware boots slot a, even if slot b is committed. A selector that is one of hangar's two
# versions is never changed here.
repair_selector() {
  [ "$(selector_slot)" = damaged ] || return 0
  committed=$(record_get committed)
  is_slot "$committed" || committed=$SLOT
  # The firmware never boots slot b by accident: an autoboot.txt that the owner edited names it.
  [ "$SLOT" = a ] || committed=$SLOT
  if [ "$committed" != "$SLOT" ] && ! has_boot_sector "$committed"; then committed=$SLOT; fi
  say "autoboot.txt is damaged: writing it again for slot $committed"
  record_set committed "$committed"
  if ! selector_write "$committed"; then
    say 'cannot write autoboot.txt: the disk may be failing'
    [ "$committed" = "$SLOT" ] || echo "autoboot.txt is damaged and cannot be written: slot $SLOT runs, but slot $committed is committed and has today's data" >"$RUN/wrong-slot"
  elif [ "$committed" != "$SLOT" ]; then
    say "rebooting into slot $committed"
    # The initramfs reboots: systemd's reboot does nothing in a chroot.
    : >"$RUN/restart"
  fi
}
