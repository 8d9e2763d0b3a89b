#!/bin/sh
# agent VERB…: what a controller asks of this host over SSH, and what its own console asks. Answers with one JSON object on
# one line; docs/agent-protocol.md has every call. It decides; bytes are moved by dd and /usr/lib/hangar/blocks.
# POSIX; runs under dash.
set -u

# What the parts use is set here.
# shellcheck disable=SC2034
RUN=${HANGAR_RUN:-/run/hangar}
LIB=${HANGAR_LIB:-/usr/lib/hangar}
# shellcheck disable=SC2034
WORK=$RUN/update
OWN_PATH=/usr/sbin:/usr/bin:/sbin:/bin
PATH=${HANGAR_PATH:-$OWN_PATH}
export PATH LC_ALL=C

say() { echo "<3>hangar: $*" >/dev/kmsg 2>/dev/null || echo "hangar: $*" >&2; }

# fail CODE MESSAGE HINT: the host goes on with what it runs.
fail() {
  jq -cn --arg code "$1" --arg message "$2" --arg hint "$3" '{error: {code: $code, message: $message, hint: $hint}}'
  exit 1
}

ok() { echo '{"ok":true}'; }

fact() { line_value "$1=" "$FACTS"; }

other_slot() { if [ "$1" = a ]; then echo b; else echo a; fi; }

is_slot() { [ "$1" = a ] || [ "$1" = b ]; }

is_hash() { case $1 in *[!0-9a-f]*) return 1 ;; esac && [ ${#1} -eq 64 ]; }

# Without leading zeros, which a shell's arithmetic takes for octal.
is_number() { case $1 in '' | *[!0-9]* | 0?*) return 1 ;; esac && [ ${#1} -le 15 ]; }

# For names and ids that become words of files and commands.
is_word() { case $1 in '' | -* | *[!A-Za-z0-9_.@:/+=~-]*) return 1 ;; esac && [ ${#1} -le 200 ]; }

slot_device() { if [ "$1" = a ]; then fact SLOT_A; else fact SLOT_B; fi; }

boot_device() { if [ "$1" = a ]; then fact BOOT_A; else fact BOOT_B; fi; }

# In seconds since the kernel started: no clock that is set can move it.
uptime_seconds() { cut -d. -f1 "${HANGAR_PROC:-/proc}/uptime"; }

# boot_state: committed, trial or fallback.
boot_state() {
  if [ ! -e "$RUN/committed" ] && { [ "$(fact TRYBOOT)" != 0 ] || [ -e "$RUN/trial" ]; }; then echo trial
  elif [ "$(selector_slot)" = "$SLOT" ]; then echo committed
  else echo fallback; fi
}

# shellcheck disable=SC2034
load_facts() {
  [ -r "$RUN/boot" ] || fail state "$RUN/boot is not there: the initramfs did not say what runs" 'reboot the host'
  # Calls run beside each other, and beside a trial: what one makes on its way is no other's.
  OWN=$RUN/call.$$
  mkdir -p "$OWN"
  trap 'rm -rf "$OWN"' EXIT
  FACTS=$(cat "$RUN/boot")
  SLOT=$(fact SLOT) OTHER=$(other_slot "$SLOT") ROOT_HASH=$(fact ROOT_HASH)
  IDENTITY=$(fact IDENTITY) SELECTOR=$(fact SELECTOR)
  record_load
}

for part in facts record selector tryboot lock slot write renew-identity trial boot-state revert health status; do
  # shellcheck source=/dev/null
  . "$LIB/$part"
done

usage() { fail usage "not understood: agent $*" 'the controller and the host speak different protocols: docs/agent-protocol.md'; }

main() {
  umask 077
  load_facts
  verb=${1:-}
  [ $# -eq 0 ] || shift
  case $verb in
    status) status ;;
    state) state "$@" ;;
    write) write "$@" ;;
    identity) renew_identity "$@" ;;
    arm) arm "$@" ;;
    reboot) go_down ;;
    health) health ;;
    commit) commit "$@" ;;
    revert) revert "$@" ;;
    release) lock_release "$@" && ok ;;
    boot) decide_boot_state ;;
    trial) run_trial ;;
    abandon) abandon_trial "$@" ;;
    *) usage "$verb" "$@" ;;
  esac
}

main "$@"
