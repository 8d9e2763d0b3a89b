#!/bin/sh
# identity load|save [DIRECTORY]: loads the host's keys, machine id and trusted keys from the identity partition to
# /run/hangar/identity, or saves that directory, or another one, to the partition.
#
# The partition has no file system: it holds two copies, each a header sector and a tar. The newest undamaged copy counts,
# and a damaged one is restored from it. If both are blank, this is the first boot: an identity is made. If both are damaged,
# neither is overwritten: the host uses a temporary identity until the next boot, and logs that.
# POSIX; runs under dash, in the initramfs' chroot of the root, before systemd.
set -u

RUN=${HANGAR_RUN:-/run/hangar}
ETC=${HANGAR_ETC:-/etc}
LIB=${HANGAR_LIB:-/usr/lib/hangar}
IDENTITY_DIR=$RUN/identity
FORMAT="hangar-identity 1"
# Start of each copy in sectors of 512 bytes: the second one begins in the middle of the partition's 32 MiB.
COPIES="0 32768"
LARGEST=1048576

say() { echo "<3>hangar: $*" >/dev/kmsg 2>/dev/null || echo "hangar: $*" >&2; }

# header_field COPY NAME
header_field() { dd if="$PARTITION" bs=512 skip="$1" count=1 2>/dev/null | tr '\0' '\n' | sed -n "s/^$2 //p" | head -n 1; }

header_format() { dd if="$PARTITION" bs=512 skip="$1" count=1 2>/dev/null | tr '\0' '\n' | head -n 1; }

is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; }

# read_copy COPY FILE: writes the copy's tar to the file. Fails if the header or the digest does not match.
read_copy() {
  [ "$(header_format "$1")" = "$FORMAT" ] || return 1
  length=$(header_field "$1" length)
  is_number "$length" && [ "$length" -gt 0 ] && [ "$length" -le $LARGEST ] || return 1
  dd if="$PARTITION" bs=512 skip=$(($1 + 1)) count=$(((length + 511) / 512)) 2>/dev/null | head -c "$length" >"$2"
  [ "$(sha256sum <"$2" | cut -d' ' -f1)" = "$(header_field "$1" sha256)" ]
}

# write_copy COPY FILE SEQUENCE: clears the header, writes the tar, then the header: after a power cut the copy counts as
# damaged.
write_copy() {
  dd if=/dev/zero of="$PARTITION" bs=512 seek="$1" count=1 conv=notrunc,fsync 2>/dev/null || return 1
  dd if="$2" of="$PARTITION" bs=512 seek=$(($1 + 1)) conv=notrunc,fsync 2>/dev/null || return 1
  {
    printf '%s\nsequence %s\nlength %s\nsha256 %s\n' "$FORMAT" "$3" "$(wc -c <"$2" | tr -d ' ')" "$(sha256sum <"$2" | cut -d' ' -f1)"
    head -c 512 /dev/zero
  } | head -c 512 | dd of="$PARTITION" bs=512 seek="$1" conv=notrunc,fsync iflag=fullblock 2>/dev/null
}

# A sector that cannot be read does not count as blank.
is_blank() {
  dd if="$PARTITION" bs=512 skip="$1" count=1 >"$WORK/sector" 2>/dev/null || return 1
  [ "$(wc -c <"$WORK/sector")" -eq 512 ] && [ "$(tr -d '\0' <"$WORK/sector" | wc -c)" -eq 0 ]
}

# Sets NEWEST to the newest undamaged copy, empty if there is none, and puts its tar into $WORK/tar.
find_newest() {
  NEWEST='' SEQUENCE=0
  for copy in $COPIES; do
    sequence=$(header_field "$copy" sequence)
    if ! read_copy "$copy" "$WORK/$copy" || ! is_number "$sequence"; then
      # The tar may be good while the header is damaged: repair_copies would then take the copy for undamaged.
      rm -f "$WORK/$copy"
      continue
    fi
    if [ -z "$NEWEST" ] || [ "$sequence" -gt "$SEQUENCE" ]; then NEWEST=$copy SEQUENCE=$sequence; fi
  done
  [ -z "$NEWEST" ] || cp "$WORK/$NEWEST" "$WORK/tar"
}

repair_copies() {
  for copy in $COPIES; do
    [ "$copy" = "$NEWEST" ] || cmp -s "$WORK/$copy" "$WORK/tar" || {
      say "identity: the copy at sector $copy is damaged or old: restoring it from the other copy"
      write_copy "$copy" "$WORK/tar" "$SEQUENCE" || say "identity: cannot write the copy at sector $copy"
    }
  done
}

# Makes a new identity in IDENTITY_DIR.
make_identity() {
  mkdir -p "$IDENTITY_DIR/ssh"
  ssh-keygen -q -t ed25519 -N '' -C "$(cat "$ETC/hostname")" -f "$IDENTITY_DIR/ssh/ssh_host_ed25519_key" </dev/null || return 1
  tr -d - </proc/sys/kernel/random/uuid >"$IDENTITY_DIR/machine-id"
}

# Creates the list of keys that may sign updates, and the smallest serial, from the image. Leaves an existing list alone, also
# one in which every key was revoked.
make_trust() {
  trust=$IDENTITY_DIR/trust
  if [ -s "$trust/signing" ] || [ -s "$trust/revoked" ]; then return; fi
  mkdir -p "$trust"
  if ! cp "$LIB/signing" "$trust/signing" || ! : >"$trust/revoked" || ! cp "$LIB/serial" "$trust/serial"; then
    say 'identity: cannot write the keys that may sign updates: this host will refuse every update'
  fi
}

unpack() { tar -x -f "$WORK/tar" -C "$IDENTITY_DIR"; }

log_fingerprint() {
  say "identity: $1: $(ssh-keygen -l -f "$IDENTITY_DIR/ssh/ssh_host_ed25519_key.pub" | cut -d' ' -f2)"
}

load() {
  find_newest
  if [ -n "$NEWEST" ]; then
    repair_copies
    unpack || return 1
    make_trust
    log_fingerprint "SSH host key"
  elif is_blank 0 && is_blank 32768; then
    make_identity || return 1
    make_trust
    tar -c -f "$WORK/tar" -C "$IDENTITY_DIR" . || return 1
    for copy in $COPIES; do write_copy "$copy" "$WORK/tar" 1 || say "identity: cannot write the copy at sector $copy"; done
    log_fingerprint "made a new identity at the first boot, SSH host key"
  else
    say "identity: both copies on $PARTITION are damaged; hangar does not overwrite them, and uses a temporary identity until the next boot"
    say "identity: to erase both copies and make a new identity at the next boot: dd if=/dev/zero of=$PARTITION bs=1M count=17 && reboot"
    make_identity || return 1
    make_trust
    log_fingerprint "temporary, SSH host key"
  fi
}

# save [DIRECTORY]: writes the older copy first, so that one copy is undamaged after a power cut at any point.
save() {
  find_newest
  if [ -z "$NEWEST" ] && ! { is_blank 0 && is_blank 32768; }; then
    say "identity: both copies on $PARTITION are damaged: not saved, because hangar does not overwrite them"
    return 1
  fi
  tar -c -f "$WORK/tar" -C "${1:-$IDENTITY_DIR}" . || return 1
  [ "$(wc -c <"$WORK/tar")" -le $LARGEST ] || return 1
  for copy in $(echo "$COPIES" | tr ' ' '\n' | grep -vx "${NEWEST:-none}") $NEWEST; do
    write_copy "$copy" "$WORK/tar" $((SEQUENCE + 1)) || return 1
  done
  # Without this the read would come from memory instead of the disk.
  blockdev --flushbufs "$PARTITION" 2>/dev/null
  for copy in $COPIES; do
    read_copy "$copy" "$WORK/$copy" && cmp -s "$WORK/$copy" "$WORK/tar" || return 1
  done
}

# systemd reads the machine id before it mounts anything, so the file must be in place now.
bind_machine_id() { mount --bind "$IDENTITY_DIR/machine-id" "$ETC/machine-id"; }

main() {
  case ${1:-} in load | save) ;; *) echo "usage: identity load|save [DIRECTORY]" >&2; exit 2 ;; esac
  PARTITION=$(sed -n 's/^IDENTITY=//p' "$RUN/boot")
  [ -n "$PARTITION" ] || { say "identity: $RUN/boot does not name the identity partition"; exit 1; }
  umask 077
  mkdir -p "$IDENTITY_DIR"
  WORK=$RUN/identity.work
  mkdir -p "$WORK"
  "$@"
  status=$?
  rm -rf "$WORK"
  { [ $status -eq 0 ] && [ "$1" = load ]; } || exit $status
  bind_machine_id
}

main "$@"
