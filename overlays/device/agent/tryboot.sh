# shellcheck shell=sh
# The firmware's one-shot flag: the next start, and only that, is a trial of the other slot. It does not outlive a power
# cut. Three ways to it: the emulated firmware's port, Raspberry Pi's kernels' mailbox device, and our module for Debian's.
# POSIX; sourced under dash on the host and under busybox ash in the initramfs.

TRYBOOT_MODULE=${HANGAR_SYS:-/sys}/module/hangar_tryboot/parameters/armed
VCIO=${HANGAR_DEV:-/dev}/vcio

# The port's device, where there is one.
tryboot_port() {
  for port in "${HANGAR_SYS:-/sys}"/class/virtio-ports/*/name; do
    [ "$(cat "$port" 2>/dev/null)" = hangar.firmware ] || continue
    port=${port%/name}
    echo "${HANGAR_DEV:-/dev}/${port##*/}"
    return
  done
  return 1
}

# tryboot_ask PORT LINE: one question, one answer.
tryboot_ask() {
  # shellcheck disable=SC2016
  timeout 10 sh -c 'exec 3<>"$0" && printf "%s\n" "$1" >&3 && read -r answer <&3 && printf "%s\n" "${answer#tryboot }"' "$1" "$2"
}

# The last word of a mailbox's answer is the value (raspberrypi/utils, vcmailbox; tags 0x00038064 sets, 0x00030064 gets).
tryboot_mailbox() {
  value=$(vcmailbox "$1" 4 0 "$2") || return 1
  # shellcheck disable=SC2086
  set -- $value
  [ $# -ge 6 ] || return 1
  echo $((${6}))
}

tryboot_driver() {
  if tryboot_port >/dev/null; then echo port
  elif [ -c "$VCIO" ]; then echo vcio
  elif [ -e "$TRYBOOT_MODULE" ] || modprobe hangar_tryboot 2>/dev/null && [ -e "$TRYBOOT_MODULE" ]; then echo module
  else return 1; fi
}

# tryboot_get: 0 or 1.
tryboot_get() {
  case $(tryboot_driver) in
    port) tryboot_ask "$(tryboot_port)" tryboot ;;
    vcio) tryboot_mailbox 0x00030064 0 ;;
    module) cat "$TRYBOOT_MODULE" ;;
    *) return 1 ;;
  esac
}

# tryboot_set 0|1: true only where the firmware says the same when it is asked again.
tryboot_set() {
  case $(tryboot_driver) in
    port) tryboot_ask "$(tryboot_port)" "tryboot $1" >/dev/null ;;
    vcio) tryboot_mailbox 0x00038064 "$1" >/dev/null ;;
    module) echo "$1" >"$TRYBOOT_MODULE" ;;
    *) return 1 ;;
  esac || return 1
  [ "$(tryboot_get)" = "$1" ]
}
