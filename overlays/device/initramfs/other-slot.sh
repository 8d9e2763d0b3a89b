# shellcheck shell=sh
# Counts the starts of the committed slot in the initramfs, and boots the other slot on trial if the committed one fails.
# POSIX; sourced under busybox ash by init, whose functions and variables it needs, with those of record.sh, starts.sh and
# tryboot.sh.

# If the committed slot cannot start, boots the other one on trial. The number of trials is limited, so that two slots that
# fail do not alternate without end; a healthy start or a commit clears it.
arm_other_slot() {
  [ "$TRYBOOT" = 0 ] && [ -n "${IDENTITY:-}" ] && name_slots || return 0
  record_load
  starts_load "$MINE"
  [ "$TRIED" -lt "$MOST_TRIED" ] || { say "slot $OTHER was tried $TRIED times and not committed: slot $MINE stays"; return 0; }
  other_can_boot || return 0
  # shellcheck disable=SC2034
  BEGUN=$(firmware_number count)
  starts_arm "$MINE" "$OTHER" "slot $MINE cannot start: $1" || { say "cannot boot slot $OTHER: cannot write the record"; return 0; }
  boot_other_slot
}

# The slot of the boot partition that the firmware has read, and the other one.
name_slots() { case $PARTITION in 2) MINE=a OTHER=b ;; 3) MINE=b OTHER=a ;; *) return 1 ;; esac; }

other_can_boot() { [ "$(dd if="$(partition "$DISK" "boot-$OTHER")" bs=512 count=1 2>/dev/null | tr -d '\0' | wc -c)" -gt 0 ]; }

boot_other_slot() {
  if tryboot_set 1; then say "slot $OTHER boots next, on trial"; else
    say "cannot boot slot $OTHER: the firmware does not confirm the trial flag"
    return 1
  fi
}

# Counts this start of the committed slot, before the slot is opened. After three failed starts in a row, boots the other slot.
begin_start() {
  [ "$TRYBOOT" = 0 ] && name_slots || return 0
  record_load
  starts_begin "$MINE" "$OTHER" "$(firmware_number count)" || say "cannot record that a start of slot $MINE begins"
  if [ "$NEXT" = trial ]; then
    say "$(record_get reason)"
    if boot_other_slot; then restart; fi
    record_set phase reverted reason 'the firmware does not confirm the trial flag' starts_stays "slot $OTHER cannot be tried: the firmware does not confirm the trial flag"
  fi
  stays=$(record_get starts_stays)
  [ -z "$stays" ] || say "slot $MINE stays although it fails: $stays"
}
