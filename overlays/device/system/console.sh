#!/bin/sh
# console [root]: what somebody with a screen or a serial cable can do without a password: look, and start again.
# With the argument `root`, from the host file, a shell too.
# POSIX; runs under dash.
set -u

SHELL_FOR=${1:-none}
RUN=${HANGAR_RUN:-/run/hangar}
AGENT=${HANGAR_LIB:-/usr/lib/hangar}/agent

fact() { sed -n "s/^$1=//p" "$RUN/boot" 2>/dev/null; }

addresses() { ip -o -4 address show scope global 2>/dev/null | awk '{printf "%s%s", sep, $4; sep=", "}'; }

unhealthy() { systemctl --no-legend --plain list-units --type=service,mount,socket --state=failed,activating,auto-restart 2>/dev/null | awk '{printf "%s%s", sep, $1; sep=", "}'; }

fingerprint() { ssh-keygen -l -f "$RUN/identity/ssh/ssh_host_ed25519_key.pub" 2>/dev/null | cut -d' ' -f2; }

status() {
  state=committed
  # Why: npm run status. Nobody has judged it, and nothing will.
  [ ! -e "$RUN/fallback" ] || state='runs as it is, and is not committed'
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
  echo "  units       ${units:-all well}"
  [ ! -e "$RUN/data-failed" ] || echo "  data        $(cat "$RUN/data-failed")"
  echo
}

# As `npm run revert` does, without a network: with today's data, or as it was when the other slot last ran.
go_back() {
  printf "Go back to the other slot, with today's data [t] or as it was then [w]? "
  read -r answer || return
  case $answer in t) flag='' ;; w) flag=--with-data ;; *) echo "nothing done"; return ;; esac
  # shellcheck disable=SC2086
  said=$("$AGENT" revert $flag) || { echo "  $(echo "$said" | jq -r '.error | "\(.message); \(.hint)"')"; return; }
  echo "  starting slot $(echo "$said" | jq -r .slot) on trial; this slot comes back by itself if it is not healthy"
  "$AGENT" reboot >/dev/null
}

menu() {
  printf '[s]tatus  [r]eboot  [p]ower off  go [b]ack to the other slot'
  [ "$SHELL_FOR" != root ] || printf '  root s[h]ell'
  printf ' > '
}

sure() {
  printf '%s %s? Type yes: ' "$1" "$(cat /etc/hostname)"
  read -r answer && [ "$answer" = yes ]
}

choose() {
  case $1 in
    s | status | '') status ;;
    r | reboot) sure Reboot && systemctl reboot ;;
    b | back) sure "Go back on" && go_back ;;
    p | poweroff) sure "Power off" && systemctl poweroff ;;
    h | shell) [ "$SHELL_FOR" = root ] && HOME=/root /bin/bash -l ;;
    *) echo "not understood: $1" ;;
  esac
}

main() {
  status
  while menu && read -r choice; do choose "$choice"; done
}

main
