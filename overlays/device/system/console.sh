#!/bin/sh
# console [root]: the menu on the screen and on the serial console: shows the status, reboots, and reverts to the other slot,
# without a password. With the argument `root`, which the host file sets, also starts a root shell.
# POSIX; runs under dash.
set -u

SHELL_FOR=${1:-none}
RUN=${HANGAR_RUN:-/run/hangar}
AGENT=${HANGAR_LIB:-/usr/lib/hangar}/agent

fact() { sed -n "s/^$1=//p" "$RUN/boot" 2>/dev/null; }

addresses() { ip -o address show scope global 2>/dev/null | awk '{printf "%s%s", sep, $4; sep=", "}'; }

unhealthy() { systemctl --no-legend --plain list-units --type=service,mount,socket --state=failed,activating,auto-restart 2>/dev/null | awk '{printf "%s%s", sep, $1; sep=", "}'; }

fingerprint() { ssh-keygen -l -f "$RUN/identity/ssh/ssh_host_ed25519_key.pub" 2>/dev/null | cut -d' ' -f2; }

status() {
  state=committed
  [ ! -e "$RUN/fallback" ] || state='fallback boot, not committed (npm run status prints why)'
  [ ! -e "$RUN/committed" ] || state=committed
  [ ! -e "$RUN/trial" ] || state="on trial: $(cat "$RUN/reasons" 2>/dev/null)"
  echo
  echo "  host        $(cat /etc/hostname)"
  echo "  slot        $(fact SLOT), $state"
  echo "  generation  $(fact ROOT_HASH | cut -c1-12)"
  echo "  addresses   $(addresses)"
  echo "  ssh key     $(fingerprint)"
  echo "  up          $(cut -d. -f1 /proc/uptime) s, $(awk '/MemAvailable/ {print int($2 / 1024)}' /proc/meminfo) MiB free"
  units=$(unhealthy)
  echo "  units       ${units:-all active}"
  [ ! -s "$RUN/starts" ] || echo "  starts      $(cat "$RUN/starts")"
  [ ! -e "$RUN/data-failed" ] || echo "  data        $(cat "$RUN/data-failed")"
  echo
}

# Does the same as `npm run revert`, without a network.
revert() {
  printf "Use [t]oday's data, or the data as it [w]as when the other slot last ran? "
  read -r answer || return
  case $answer in t) flag='' ;; w) flag=--with-data ;; *) echo "  not reverted"; return ;; esac
  # shellcheck disable=SC2086
  answer=$("$AGENT" revert $flag) || { echo "  $(echo "$answer" | jq -r '.error | "\(.message); \(.hint)"')"; return; }
  echo "  rebooting into slot $(echo "$answer" | jq -r .slot) on trial; if it does not become healthy, this slot boots again"
  "$AGENT" reboot >/dev/null
}

menu() {
  printf '[s]tatus  [r]eboot  [p]ower off  [b]ack to the other slot (revert)'
  [ "$SHELL_FOR" != root ] || printf '  root s[h]ell'
  printf ' > '
}

confirm() {
  printf '%s %s? Type yes: ' "$1" "$(cat /etc/hostname)"
  read -r answer && [ "$answer" = yes ]
}

choose() {
  case $1 in
    s | status | '') status ;;
    r | reboot) confirm Reboot && systemctl reboot ;;
    b | back) confirm Revert && revert ;;
    p | poweroff) confirm "Power off" && systemctl poweroff ;;
    h | shell) [ "$SHELL_FOR" = root ] && HOME=/root /bin/bash -l ;;
    *) echo "unknown choice: $1" ;;
  esac
}

main() {
  status
  while menu && read -r choice; do choose "$choice"; done
}

main
