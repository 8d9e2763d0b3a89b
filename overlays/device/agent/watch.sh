# shellcheck shell=sh
# Watches a start of the committed slot until the host is healthy, and publishes how its starts ended.
# POSIX; sourced under dash. Needs the functions of starts.sh.

# A start has failed if its SSH server does not run after this many seconds: the owner cannot reach the host.
WATCH_SECONDS=600
TEXTFILE=${HANGAR_TEXTFILE:-/var/lib/prometheus/node-exporter}/hangar.prom

ssh_runs() { systemctl is-active --quiet ssh.service; }

# hangar-watch.service. A healthy start costs two writes: the one of the initramfs, and the one that ends the start.
watch() {
  publish_starts
  # A fallback boot does not count.
  [ "$(boot_state)" = committed ] || return 0
  until watch_ended; do
    note_stage
    if [ "$(uptime_seconds)" -lt $WATCH_SECONDS ]; then wait_for_start; else judge_late_start; sleep 60; fi
  done
}

watch_ended() {
  record_load
  starts_load "$SLOT"
  record_read starts_stays
  [ "$BEGUN:$FAILED:$VALUE" != ended:0: ] || return 0
  reasons=$(health_reasons)
  [ -z "$reasons" ] || return 1
  record_healthy && publish_starts
}

# Health checks slow down a host that still starts.
wait_for_start() {
  case $reasons in
    *'still starting'*) timeout 30 systemctl is-system-running --wait >/dev/null 2>&1 || sleep 2 ;;
    *) sleep 10 ;;
  esac
}

# A healthy start ends the count. The reason why the other slot was left remains until the owner changes a slot.
record_healthy() {
  set -- starts "$SLOT 0 0 0 ended" starts_stays ''
  record_read starts_left
  [ -n "$VALUE" ] || set -- "$@" starts_reason ''
  record_set "$@"
}

# Notes that the SSH server runs, only after a failed start: a healthy host does not need this write.
note_stage() {
  [ "$FAILED" -gt 0 ] && [ "$REACHED" = 0 ] && ssh_runs || return 0
  REACHED=1
  starts_set
}

# A host that is reachable and not healthy is left to its owner.
judge_late_start() {
  [ "$BEGUN" != ended ] && ! ssh_runs || return 0
  record_failed_start "its SSH server did not run $((WATCH_SECONDS / 60)) minutes after the start"
}

record_failed_start() {
  count_failure
  BEGUN=ended
  say "this start of slot $SLOT failed: $1"
  starts_set starts_reason "$1"
  publish_starts
}

# At a shutdown, records that a user has ended this start. systemd also stops the unit for other reasons, such as emergency mode.
end_watch() {
  [ "$(systemctl is-system-running 2>/dev/null)" = stopping ] || return 0
  starts_load "$SLOT"
  [ "$BEGUN" != ended ] || return 0
  BEGUN=ended
  starts_set
}

# start_failed REASON: in emergency mode. Lets the owner in, and restarts the host if this can bring the other slot back. A
# host that was healthy before came here by an order of its owner.
start_failed() {
  starts_load "$SLOT"
  [ "$BEGUN" != ended ] || return 0
  record_failed_start "$1"
  start_ssh
  can_be_left || return 0
  say "rebooting in 5 minutes; after $MOST_FAILED failed starts in a row, slot $OTHER boots on trial"
  sleep 300
  systemctl reboot --no-block
}

can_be_left() {
  [ -z "$(record_get starts_stays)$(record_get starts_left)" ] && other_was_committed "$OTHER" && has_boot_sector "$OTHER"
}

# With its dependencies, the SSH server would wait for what has failed. The firewall comes first.
start_ssh() {
  for unit in nftables systemd-networkd ssh; do systemctl --job-mode=ignore-dependencies start $unit.service; done
}

# Prints normal, failing, left or stays.
starts_state() {
  if [ -n "$(record_get starts_stays)" ]; then echo stays
  elif [ -n "$(record_get starts_left)" ]; then echo left
  elif [ "$FAILED" -gt 0 ]; then echo failing
  else echo normal; fi
}

starts_json() {
  starts_load "$SLOT"
  jq -cn --arg state "$(starts_state)" --argjson failed "$FAILED" --arg reason "$(record_get starts_reason)" --arg stays "$(record_get starts_stays)" --arg left "$(record_get starts_left)" '
    {state: $state, failed: $failed} + if $state == "normal" then {} else {reason: $reason} end
    + if $state == "stays" then {stays: $stays} elif $state == "left" then {slot: $left} else {} end'
}

# Prints one sentence for the console, or nothing.
starts_sentence() {
  case $(starts_state) in
    stays) echo "both slots fail, slot $SLOT stays: $(record_get starts_stays); $(record_get starts_reason)" ;;
    left) echo "slot $SLOT took the place of slot $(record_get starts_left): $(record_get starts_reason)" ;;
    failing) echo "$FAILED of $MOST_FAILED starts in a row failed: $(record_get starts_reason)" ;;
  esac
}

# Publishes the state for the console and for the node exporter, whose user must be able to read its file.
publish_starts() {
  starts_load "$SLOT"
  starts_sentence >"$RUN/starts"
  # Before /var is mounted there is nothing to write to.
  [ -w "${TEXTFILE%/*}" ] || return 0
  starts_metrics >"$TEXTFILE.new" && chmod 644 "$TEXTFILE.new" && mv "$TEXTFILE.new" "$TEXTFILE"
}

starts_metrics() {
  state=$(starts_state)
  echo '# HELP hangar_failed_starts Starts of the committed slot in a row that failed by themselves.'
  echo '# TYPE hangar_failed_starts gauge'
  echo "hangar_failed_starts $FAILED"
  echo '# HELP hangar_starts 1 for the state of the starts: normal, failing, left (the other slot was left) or stays (both fail).'
  echo '# TYPE hangar_starts gauge'
  for each in normal failing left stays; do
    if [ "$each" = "$state" ]; then value=1; else value=0; fi
    echo "hangar_starts{state=\"$each\",slot=\"$SLOT\"} $value"
  done
}
