# shellcheck shell=sh
# Reads and sets the firmware's one-shot trial flag: only the next boot is a trial of the other slot. A power cut clears the
# flag. Three drivers: the port of the emulated firmware, the mailbox device of Raspberry Pi's kernel, and hangar's module for
# Debian's kernel.
# POSIX; sourced under dash on the host and under busybox ash in the initramfs.

TRYBOOT_MODULE=${HANGAR_SYS:-/sys}/module/hangar_tryboot/parameters/armed
VCIO=${HANGAR_DEV:-/dev}/vcio

# Prints the device of the emulated firmware's port. Fails if there is none.
tryboot_port() {
  for port in "${HANGAR_SYS:-/sys}"/class/virtio-ports/*/name; do
    [ "$(cat "$port" 2>/dev/null)" = hangar.firmware ] || continue
    port=${port%/name}
    echo "${HANGAR_DEV:-/dev}/${port##*/}"
    return
  done
  return 1
}

# tryboot_ask PORT LINE: sends one line and prints the answer.
tryboot_ask() {
  # shellcheck disable=SC2016
  timeout 10 sh -c 'exec 3<>"$0" && printf "%s\n" "$1" >&3 && read -r answer <&3 && printf "%s\n" "${answer#tryboot }"' "$1" "$2"
}

# The last word of the mailbox's answer is the value (raspberrypi/utils, vcmailbox). Tag 0x00038064 sets, 0x00030064 gets.
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

# tryboot_get: prints 0 or 1.
tryboot_get() {
  case $(tryboot_driver) in
    port) tryboot_ask "$(tryboot_port)" tryboot ;;
    vcio) tryboot_mailbox 0x00030064 0 ;;
    module) cat "$TRYBOOT_MODULE" ;;
    *) return 1 ;;
  esac
}

# tryboot_set 0|1: true only if the firmware then reports the same value.
tryboot_set() {
  case $(tryboot_driver) in
    port) tryboot_ask "$(tryboot_port)" "tryboot $1" >/dev/null ;;
    vcio) tryboot_mailbox 0x00038064 "$1" >/dev/null ;;
    module) echo "$1" >"$TRYBOOT_MODULE" ;;
    *) return 1 ;;
  esac || return 1
  [ "$(tryboot_get)" = "$1" ]
}
