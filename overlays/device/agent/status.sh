# shellcheck shell=sh
# Prints which slot runs, its health, and how the last update ended.
# POSIX; sourced under dash.

firmware_property() { "${2:-cat}" "${HANGAR_PROC:-/proc}/device-tree/chosen/bootloader/$1" 2>/dev/null; }

# Prints when the EEPROM was built, in seconds since 1970. The device tree has four bytes, big-endian; 0 if it has none.
firmware_time() {
  # shellcheck disable=SC2046
  set -- $(od -A n -t u1 -N 4 "${HANGAR_PROC:-/proc}/device-tree/chosen/bootloader/build-timestamp" 2>/dev/null)
  if [ $# -eq 4 ]; then echo $((($1 << 24) + ($2 << 16) + ($3 << 8) + $4)); else echo 0; fi
}

status() {
  jq -cn --arg host "$HOST" --arg board "$BOARD" --argjson layout "$LAYOUT" \
    --arg bootId "$(cat "${HANGAR_PROC:-/proc}/sys/kernel/random/boot_id")" --argjson uptime "$(uptime_seconds)" \
    --arg slot "$SLOT" --arg root "$ROOT_HASH" --arg state "$(boot_state)" --arg committed "$(selector_slot)" --argjson built "$BUILT" \
    --argjson a "$(slot_json a)" --argjson b "$(slot_json b)" --argjson trust "$(trust_json)" --argjson identity "$(identity_json)" --argjson update "$(update_json)" --argjson starts "$(starts_json)" \
    --argjson lock "$(lock_json)" --argjson health "$(health_json)" --argjson data "$(data_json)" \
    --arg previouslyCommitted "$(record_get previously_committed)" --argjson slotSize "$(device_size "$(slot_device "$OTHER")")" --argjson now "$(date +%s)" --arg source "$(clock_source)" \
    --arg version "$(firmware_property version | tr -d '\0')" --argjson time "$(firmware_time)" --arg kernel "$(uname -r)" \
    '{protocols: [1], host: $host, board: $board, layout: $layout, slotSize: $slotSize, bootId: $bootId, uptime: $uptime, slot: $slot, root: $root,
      state: $state, committed: $committed, built: $built, slots: {a: $a, b: $b}, previouslyCommitted: ($previouslyCommitted | split(" ")), trust: $trust, identity: $identity, update: $update, starts: $starts, lock: $lock,
      health: $health, data: $data, clock: {now: $now, source: $source}, firmware: {version: $version, time: $time}, kernel: $kernel}'
}

# state [--wait SECONDS]: a controller calls this often while a host starts, so it calls no systemctl and reads no slot.
state() {
  case $# in
    0) ;;
    2) { [ "$1" = --wait ] && is_number "$2" && [ "$2" -le 60 ]; } || usage state "$@"; wait_for_trial "$2" ;;
    *) usage state "$@" ;;
  esac
  jq -cn --arg bootId "$(cat "${HANGAR_PROC:-/proc}/sys/kernel/random/boot_id")" --arg slot "$SLOT" --arg root "$ROOT_HASH" \
    --arg state "$(boot_state)" --arg committed "$(selector_slot)" --argjson update "$(update_json)" --argjson health "$(seen_health)" \
    '{bootId: $bootId, slot: $slot, root: $root, state: $state, committed: $committed, update: $update, health: $health}'
}

# wait_for_trial SECONDS: one call that waits costs a starting host less than many calls.
wait_for_trial() {
  left=$1
  until needs_no_wait || [ "$left" -eq 0 ]; do
    sleep 1
    left=$((left - 1))
  done
  # The trial may have changed the record meanwhile.
  record_load
}

# True unless a trial runs that is neither committed nor healthy and waiting for its controller.
needs_no_wait() {
  [ -e "$RUN/trial" ] && [ ! -e "$RUN/committed" ] || return 0
  [ -e "$RUN/seen-health" ] && [ ! -s "$RUN/seen-health" ] && [ "$(trial_fact commit)" = controller ]
}

# Prints the health that the trial saw last. Without a trial nothing checks health continuously.
seen_health() {
  if [ -e "$RUN/seen-health" ]; then reasons_json "$(cat "$RUN/seen-health")"
  elif [ -e "$RUN/trial" ]; then reasons_json 'the health was not checked yet'
  else echo null; fi
}

# Prints what a slot holds, from a cache that `slot_changed` removes when the agent writes to the slot.
slot_json() {
  if ! has_boot_sector "$1"; then
    if [ "$(record_get slot)" = "$1" ]; then echo '{"state":"unbootable"}'; else echo '{"state":"empty"}'; fi
  elif [ -s "$RUN/slot-$1" ]; then cat "$RUN/slot-$1"
  elif mkdir -p "$OWN/seen" && with_boot "$1" copy_manifest "$OWN/seen" 2>/dev/null && is_manifest "$OWN/seen/manifest.json"; then
    jq -c --arg manifest "$(sha256sum <"$OWN/seen/manifest.json" | cut -d' ' -f1)" \
      '{state: "bootable", root: .slot.root, serial: .serial, manifest: $manifest}' "$OWN/seen/manifest.json" >"$OWN/slot-$1"
    mv "$OWN/slot-$1" "$RUN/slot-$1"
    cat "$RUN/slot-$1"
  else echo '{"state":"unbootable"}'; fi
}

lines_json() { jq -cRn '[inputs | select(length > 0)]' <"$1" 2>/dev/null || echo '[]'; }

trust_json() {
  jq -cn --arg serial "$(cat "$TRUST/serial" 2>/dev/null)" --argjson signing "$(lines_json "$TRUST/signing")" --argjson revoked "$(lines_json "$TRUST/revoked")" \
    '{serial: ($serial | split(" ") | map(tonumber) | {time: (.[0] // 0), number: (.[1] // 0)}), signing: $signing, revoked: $revoked}'
}

# The phase `committing` lasts only from one write to the next, so callers see it as `trial`.
update_json() {
  [ -n "$(record_get phase)" ] || { echo null; return; }
  printf '%s' "$RECORD" | jq -Rn '[inputs | capture("^(?<key>[a-z]+) (?<value>.*)$")] | from_entries
    | {id: (.id // "-"), kind: (.kind // "update"), slot: .slot, root: .root, phase: (if .phase == "committing" then "trial" else .phase end),
       reason: (.reason // ""), data: (.data // "snapshot"), commit: (.commit // "controller")}' -c
}

data_json() {
  if [ -e "$RUN/data-failed" ]; then jq -cRn '{state: "failed", reason: input}' <"$RUN/data-failed"
  elif mountpoint -q "$DATA_DIR"; then
    df -B1 --output=size,used "$DATA_DIR" | awk 'NR == 2 {printf "{\"state\":\"mounted\",\"size\":%s,\"used\":%s}\n", $1, $2}'
  else echo null; fi
}

clock_source() { if [ -e "${HANGAR_SYNCHRONIZED:-/run/systemd/timesync/synchronized}" ]; then echo network; else echo saved; fi; }
