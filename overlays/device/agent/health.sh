# shellcheck shell=sh
# Checks what must be true before a trial may commit. Prints one line for each problem.
# POSIX; sourced under dash. Needs RUN, LIB and the facts.

SERVICES_DIR=${HANGAR_SERVICES:-/usr/share/containers/systemd}
NETWORK=${HANGAR_NETWORK:-/etc/systemd/network/10-lab.network}

health_reasons() {
  system=$(unhealthy_system)
  [ -z "$system" ] || printf '%s\n' "$system"
  unhealthy_services
  unhealthy_secrets
  unhealthy_data
  # More checks would slow down a host that still starts; a slow one would never finish.
  case $system in *'still starting'*) return ;; esac
  unhealthy_firewall
  unhealthy_memory
  unhealthy_gateway
  unhealthy_clock
}

# One call of systemctl if all is well, because each call slows down a starting host.
unhealthy_system() {
  system=$(systemctl show -p SystemState -p NFailedUnits 2>/dev/null)
  echo "$system" | grep -qx 'NFailedUnits=0' || systemctl --failed --plain --no-legend 2>/dev/null | failed_units
  state=$(echo "$system" | sed -n 's/^SystemState=//p')
  case $state in
    running | degraded) ;;
    starting | initializing) echo "still starting: $(systemctl list-jobs --plain --no-legend 2>/dev/null | awk '$2 != "hangar-trial.service" {printf "%s%s", sep, $2; sep=", "}')" ;;
    *) echo "systemd reports the state '${state:-unknown}'" ;;
  esac
}

failed_units() {
  while read -r unit _; do
    is_job "$SERVICES_DIR/${unit%.service}.container" || echo "unit $unit has failed"
  done
}

# A job is a container that a timer starts. It may have ended, and it may have failed for a reason outside the host.
is_job() { grep -qx 'Type=oneshot' "$1" 2>/dev/null; }

# systemd calls a service active only after its own health check has passed (Notify=healthy).
unhealthy_services() {
  set --
  waiting=" $(waiting_services | cut -d' ' -f1 | tr '\n' ' ')"
  for file in "$SERVICES_DIR"/*.container; do
    [ -e "$file" ] || continue
    ! is_job "$file" || continue
    name=${file##*/}
    name=${name%.container}
    case $waiting in *" $name "*) continue ;; esac
    set -- "$@" "$name.service"
  done
  [ $# -gt 0 ] || return 0
  # The properties of a unit come in any order and end with a blank line.
  systemctl show -p Id -p ActiveState -p MemoryMax "$@" 2>/dev/null | awk -F= -v asked="$*" '
    function save_unit() { states[id] = state; limits[id] = limit; id = state = limit = "" }
    $1 == "Id" { id = $2 }
    $1 == "ActiveState" { state = $2 }
    $1 == "MemoryMax" { limit = $2 }
    /^$/ { save_unit() }
    END {
      save_unit()
      count = split(asked, units, " ")
      for (n = 1; n <= count; n++) {
        unit = units[n]; name = unit; sub(/[.]service$/, "", name)
        if (states[unit] != "active") print "service " name " is not healthy: " (states[unit] == "" ? "unknown" : states[unit])
        if (limits[unit] == "" || limits[unit] == "infinity") print "service " name " runs without its memory limit"
      }
    }'
}

# overlays/device/system/secrets.sh has written one line for each container that lacks a secret.
unhealthy_secrets() { [ ! -e "$RUN/secrets-failed" ] || sed 's/^/secrets of /' "$RUN/secrets-failed"; }

# The rules of hangar are one table, which is loaded as a whole or not at all. The emergency rules are another table.
unhealthy_firewall() {
  nft -t list table inet hangar >/dev/null 2>&1 || echo 'the firewall is not loaded: systemctl status nftables'
}

unhealthy_memory() {
  grep -qw memory "${HANGAR_SYS:-/sys}/fs/cgroup/cgroup.controllers" || echo 'the kernel does not enforce memory limits'
  awk '/^MemTotal/ {total=$2} /^MemAvailable/ {free=$2} END {if (free * 20 < total) print "only " int(free / 1024) " MiB of memory are available"}' "${HANGAR_PROC:-/proc}/meminfo"
}

# Every gateway of the host file must have a default route and answer. A host with IPv4 and IPv6 would otherwise commit
# an image without one of them, because the controller needs only one.
unhealthy_gateway() {
  routes=$({ ip -4 route show default; ip -6 route show default; } 2>/dev/null | awk '
    { via = dev = ""; for (i = 1; i < NF; i++) { if ($i == "via") via = $(i + 1); if ($i == "dev") dev = $(i + 1) } }
    via != "" { print via, dev }')
  gateways=$(sed -n 's/^Gateway=//p' "$NETWORK" 2>/dev/null)
  if [ -z "$routes" ] || [ -z "$gateways" ]; then
    echo 'there is no default gateway'
    return
  fi
  for gateway in $gateways; do
    device=$(echo "$routes" | awk -v via="$gateway" '$1 == via { print $2; exit }')
    if [ -z "$device" ]; then echo "there is no default route through the gateway $gateway"
    elif ! answers "$gateway" "$device"; then echo "the default gateway $gateway does not answer"
    fi
  done
}

# answers GATEWAY DEVICE: a gateway that answers no pings still answers ARP, or neighbour discovery in IPv6.
answers() {
  case $1 in
    fe[89ab]?:*) target=$1%$2 ;; # a link-local address is complete only with its interface
    *) target=$1 ;;
  esac
  ping -n -q -c 1 -W 3 "$target" >/dev/null 2>&1 || ip neigh show "$1" dev "$2" 2>/dev/null | grep -q REACHABLE
}

# The clock must be between the lock's time (less a day, because archives date ahead) and 20 years later.
unhealthy_clock() {
  now=$(date +%s)
  [ "$now" -ge $((BUILT - 86400)) ] && [ "$now" -le $((BUILT + 631152000)) ] || echo "the clock is wrong: it shows $(date -u -d "@$now" +%F)"
}

unhealthy_data() {
  if [ -e "$RUN/data-failed" ]; then echo "data: $(cat "$RUN/data-failed")"
  elif ! mountpoint -q "$DATA_DIR"; then echo 'the data volume is not mounted'
  else
    df -k --output=size,avail "$DATA_DIR" 2>/dev/null | awk 'NR == 2 && $2 < 262144 && $2 * 20 < $1 {print "the data volume has only " int($2 / 1024) " MiB free"}'
  fi
  df -k --output=avail "$RUN" 2>/dev/null | awk 'NR == 2 && $1 < 16384 {print "/run has only " int($1 / 1024) " MiB free"}'
}

health() { health_json; }

health_json() { reasons_json "$(health_reasons)"; }

# Prints `SERVICE DEVICE` for each service that waits for a device that is missing. Such a service is not unhealthy: the
# owner may have unplugged the device.
waiting_services() {
  # /dev/null makes grep print the name of the file also if there is only one.
  grep '^X-WaitsFor=' "$SERVICES_DIR"/*.container /dev/null 2>/dev/null | while IFS='=' read -r file device; do
    name=${file##*/}
    [ -e "$device" ] || printf '%s %s\n' "${name%.container:*}" "$device"
  done
}

# reasons_json LINES: without lines the host is healthy.
reasons_json() {
  waiting=$(waiting_services | sed 's/ / waits for its device /; s/^/service /')
  if [ -z "$1$waiting" ]; then echo '{"state":"healthy"}'
  else jq -cn --arg reasons "$1" --arg waiting "$waiting" 'def lines: [splits("\n") | select(. != "")];
    (if $reasons == "" then {state: "healthy"} else {state: "unhealthy", reasons: ($reasons | lines)} end)
    + (if $waiting == "" then {} else {waiting: ($waiting | lines)} end)'; fi
}
