# shellcheck shell=sh
# What must be true before a trial may commit: a line for everything that is not.
# POSIX; sourced under dash. Wants RUN, LIB and the facts.

SERVICES_DIR=${HANGAR_SERVICES:-/usr/share/containers/systemd}

health_reasons() {
  unhealthy_system
  unhealthy_services
  unhealthy_memory
  unhealthy_gateway
  unhealthy_clock
  unhealthy_data
}

unhealthy_system() {
  systemctl --failed --plain --no-legend 2>/dev/null | awk '{print "unit " $1 " has failed"}'
  case $(systemctl is-system-running 2>/dev/null) in
    running | degraded) ;;
    starting | initializing) echo "still starting: $(systemctl list-jobs --plain --no-legend 2>/dev/null | awk '$2 != "hangar-trial.service" {printf "%s%s", sep, $2; sep=", "}')" ;;
    *) echo "the system is $(systemctl is-system-running 2>/dev/null)" ;;
  esac
}

# A service is active once its own health check was good (Notify=healthy).
unhealthy_services() {
  for file in "$SERVICES_DIR"/*.container; do
    [ -e "$file" ] || continue
    name=${file##*/} name=${name%.container}.service
    state=$(systemctl is-active "$name" 2>/dev/null)
    [ "$state" = active ] || echo "service ${name%.service} is not healthy: $state"
    case $(systemctl show -p MemoryMax --value "$name" 2>/dev/null) in
      infinity | '') echo "service ${name%.service} has no limit of memory in force" ;;
    esac
  done
}

unhealthy_memory() {
  grep -qw memory "${HANGAR_SYS:-/sys}/fs/cgroup/cgroup.controllers" || echo 'the kernel has no memory limits in force'
  awk '/^MemTotal/ {total=$2} /^MemAvailable/ {free=$2} END {if (free * 20 < total) print "only " int(free / 1024) " MiB of memory are free"}' "${HANGAR_PROC:-/proc}/meminfo"
}

unhealthy_gateway() {
  gateway=$(ip -4 route show default 2>/dev/null | awk '{for (i = 1; i < NF; i++) if ($i == "via") {print $(i + 1); exit}}')
  [ -n "$gateway" ] || { echo 'there is no default gateway'; return; }
  # One that answers no pings still answers who has its address.
  ping -n -q -c 1 -W 3 "$gateway" >/dev/null 2>&1 || ip neigh show "$gateway" 2>/dev/null | grep -q REACHABLE ||
    echo "the default gateway $gateway does not answer"
}

# From the lock's time on (less a day: archives date ahead), and no more than 20 years.
unhealthy_clock() {
  now=$(date +%s)
  [ "$now" -ge $((BUILT - 86400)) ] && [ "$now" -le $((BUILT + 631152000)) ] || echo "the clock says $(date -u -d "@$now" +%F)"
}

unhealthy_data() {
  if [ -e "$RUN/data-failed" ]; then echo "data: $(cat "$RUN/data-failed")"
  elif ! mountpoint -q "$DATA_DIR"; then echo 'data is not mounted'
  else
    df -k --output=size,avail "$DATA_DIR" 2>/dev/null | awk 'NR == 2 && $2 < 262144 && $2 * 20 < $1 {print "data has only " int($2 / 1024) " MiB left"}'
  fi
  df -k --output=avail "$RUN" 2>/dev/null | awk 'NR == 2 && $1 < 16384 {print "/run has only " int($1 / 1024) " MiB left"}'
}

health() { health_json; }

health_json() {
  reasons=$(health_reasons)
  if [ -z "$reasons" ]; then echo '{"state":"healthy"}'
  else printf '%s\n' "$reasons" | jq -cRn '{state: "unhealthy", reasons: [inputs]}'; fi
}
