#!/bin/sh
# agent COMMAND…: serves the calls of a controller over SSH, of the console and of this host's own units. Prints one JSON
# object on one line; docs/agent-protocol.md lists every call. This script decides; dd and /usr/lib/hangar/blocks move the bytes.
# POSIX; runs under dash.
set -u

# The parts use these variables.
# shellcheck disable=SC2034
RUN=${HANGAR_RUN:-/run/hangar}
LIB=${HANGAR_LIB:-/usr/lib/hangar}
# shellcheck disable=SC2034
WORK=$RUN/update
OWN_PATH=/usr/sbin:/usr/bin:/sbin:/bin
PATH=${HANGAR_PATH:-$OWN_PATH}
export PATH LC_ALL=C

say() { echo "<3>hangar: $*" >/dev/kmsg 2>/dev/null || echo "hangar: $*" >&2; }

# fail CODE MESSAGE HINT: ends the call with an error. The host keeps running.
fail() {
  jq -cn --arg code "$1" --arg message "$2" --arg hint "$3" '{error: {code: $code, message: $message, hint: $hint}}'
  exit 1
}

# fail_disk MESSAGE: a write to the disk has failed.
fail_disk() { fail disk "$1" "the disk may be failing: ssh root@$HOST dmesg"; }

ok() { echo '{"ok":true}'; }

fact() { line_value "$1=" "$FACTS"; }

other_slot() { if [ "$1" = a ]; then echo b; else echo a; fi; }

is_slot() { [ "$1" = a ] || [ "$1" = b ]; }

is_hash() { case $1 in *[!0-9a-f]*) return 1 ;; esac && [ ${#1} -eq 64 ]; }

# Refuses leading zeros: shell arithmetic reads such numbers as octal.
is_number() { case $1 in '' | *[!0-9]* | 0?*) return 1 ;; esac && [ ${#1} -le 15 ]; }

# Accepts names and ids that are safe in files and in commands.
is_word() { case $1 in '' | -* | *[!A-Za-z0-9_.@:/+=~-]*) return 1 ;; esac && [ ${#1} -le 200 ]; }

slot_device() { if [ "$1" = a ]; then fact SLOT_A; else fact SLOT_B; fi; }

boot_device() { if [ "$1" = a ]; then fact BOOT_A; else fact BOOT_B; fi; }

# Prints the seconds since the kernel started: setting the clock does not change them.
uptime_seconds() { cut -d. -f1 "${HANGAR_PROC:-/proc}/uptime"; }

# Prints committed, trial or fallback.
boot_state() {
  if [ ! -e "$RUN/committed" ] && { [ "$(fact TRYBOOT)" != 0 ] || [ -e "$RUN/trial" ]; }; then echo trial
  elif [ "$(selector_slot)" = "$SLOT" ]; then echo committed
  else echo fallback; fi
}

require_no_trial() {
  [ "$(boot_state)" != trial ] ||
    fail busy 'this boot is a trial that has not ended yet' "wait until it ends, or end it: npm run revert $HOST"
}

require_committed() {
  require_no_trial
  [ "$(boot_state)" = committed ] ||
    fail state "slot $SLOT runs and is not committed: autoboot.txt boots '$(selector_slot)'" \
      "reboot the host: the boot repairs autoboot.txt. If slot $SLOT is still not committed: npm run status $HOST"
}

# shellcheck disable=SC2034
load_facts() {
  [ -r "$RUN/boot" ] || fail state "$RUN/boot is missing: the initramfs did not record which slot runs" 'reboot the host'
  # Several calls and a trial may run at the same time: each has its own directory for temporary files.
  OWN=$RUN/call.$$
  mkdir -p "$OWN"
  trap 'rm -rf "$OWN"' EXIT
  FACTS=$(cat "$RUN/boot")
  SLOT=$(fact SLOT) OTHER=$(other_slot "$SLOT") ROOT_HASH=$(fact ROOT_HASH)
  IDENTITY=$(fact IDENTITY) SELECTOR=$(fact SELECTOR)
  record_load
}

for part in facts record starts selector tryboot lock slot write renew-identity trial boot-state watch revert health status; do
  # shellcheck source=/dev/null
  . "$LIB/$part"
done

usage() { fail usage "unknown call: agent $*" 'use a version of hangar that speaks the protocol of this host (docs/agent-protocol.md)'; }

main() {
  umask 077
  load_facts
  command=${1:-}
  [ $# -eq 0 ] || shift
  case $command in
    status) status ;;
    state) state "$@" ;;
    write) write "$@" ;;
    identity) renew_identity "$@" ;;
    arm) arm "$@" ;;
    reboot) reboot_host ;;
    health) health ;;
    commit) commit "$@" ;;
    revert) revert "$@" ;;
    release) lock_release "$@" && ok ;;
    boot) decide_boot_state ;;
    trial) run_trial ;;
    abandon) abandon_trial "$@" ;;
    watch) watch ;;
    watch-end) end_watch ;;
    watch-failed) start_failed "$@" ;;
    *) usage "$command" "$@" ;;
  esac
}

main "$@"
