#!/bin/sh
# metrics: publishes for the node exporter how many packets the firewall has rejected, and how full each volume is.
# POSIX; runs under dash.
set -u

RUN=${HANGAR_RUN:-/run/hangar}
DATA_DIR=${HANGAR_DATA:-/data}
TEXTFILE=${HANGAR_TEXTFILE:-/var/lib/prometheus/node-exporter}/host.prom

describe() { printf '# HELP %s %s\n# TYPE %s %s\n' "$1" "$3" "$1" "$2"; }

# The rules name each counter DIRECTION.SERVICE or DIRECTION.SERVICE.USER.
firewall() {
  if counters=$(nft -j list counters table inet hangar 2>/dev/null); then loaded=1; else loaded=0 counters='{"nftables":[]}'; fi
  describe hangar_firewall_loaded gauge '1 if the rules of the firewall are loaded.'
  echo "hangar_firewall_loaded $loaded"
  describe hangar_firewall_rejected_packets_total counter 'Packets that the firewall rejected: what a service tried to send, or what others sent to it.'
  echo "$counters" | jq -r '.nftables[].counter | select(. != null) | (.name | split(".")) as [$direction, $service, $user]
    | "hangar_firewall_rejected_packets_total{direction=\"\($direction)\",service=\"\($service)\"\(if $user then ",user=\"\($user)\"" else "" end)} \(.packets)"'
}

# Reads what btrfs has counted for the subvolumes of this slot. Each line: group, referenced, exclusive, limit, path.
volumes() {
  slot=$(sed -n 's/^SLOT=//p' "$RUN/boot")
  describe hangar_volume_used_bytes gauge 'Disk space that the data of a volume takes in this slot, after compression.'
  describe hangar_volume_quota_bytes gauge 'The most disk space that the data of a volume may take in a slot.'
  btrfs qgroup show --raw -r "$DATA_DIR" 2>/dev/null | awk -v suffix="@$slot" '
    { at = length($5) - length(suffix) }
    $1 ~ /^0\// && at > 0 && substr($5, at + 1) == suffix {
      label = "{volume=\"" substr($5, 1, at) "\"} "
      print "hangar_volume_used_bytes" label $2
      if ($4 ~ /^[0-9]+$/) print "hangar_volume_quota_bytes" label $4
    }'
}

main() {
  # Without /var there is nothing to write to.
  [ -w "${TEXTFILE%/*}" ] || return 0
  # The exporter reads the file at any moment, as a user of its own.
  { firewall && volumes; } >"$TEXTFILE.new" && chmod 644 "$TEXTFILE.new" && mv "$TEXTFILE.new" "$TEXTFILE"
}

main
