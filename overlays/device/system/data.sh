#!/bin/sh
# data SERVICE...: mounts the data volume at /data, this slot's /var, and each service's own subvolume at
# /run/hangar/data/SERVICE. At first boot the partition grows to the disk's end and is formatted.
#
# On trial (/run/hangar/trial) this slot's copies are made anew: from what the committed slot has, or, where data as they
# were are asked for, from what this slot had when it was last committed. Whatever the trial does to data, both are found
# again as they were left: SERVICE@SLOT of the committed slot, SERVICE@SLOT.left of the other one. A commit ends the second.
#
# Where anything is not as it should be nothing is formatted: /var is memory, services stay down, and the reason is on the
# console and in /run/hangar/data-failed. Nothing that the host needs to be reached is on this volume.
# POSIX; runs under dash.
set -u

RUN=${HANGAR_RUN:-/run/hangar}
DATA_DIR=${HANGAR_DATA:-/data}
VAR_DIR=${HANGAR_VAR:-/var}
FACTORY=${HANGAR_FACTORY:-/usr/share/factory/var}
SYS=${HANGAR_SYS:-/sys}
LABEL=hangar-data
OPTIONS=noatime,compress=zstd:1
# Stands at the partition's start, which btrfs leaves alone, from before the first byte of a new file system to after its
# last: a partition with it and without a file system was being formatted when the power went.
MARK='hangar is formatting this partition'
# Size that the file system is made with, in MiB; it grows to the partition's when it is mounted.
NEW_MIB=512
# How much of the partition's start has to be zero before it counts as blank, in MiB.
BLANK_MIB=4

say() { echo "<3>hangar: $*" >/dev/kmsg 2>/dev/null || echo "hangar: $*" >&2; }

# Goes on without the volume, so that the host can be reached and can say what is wrong.
without_data() {
  say "data: $*"
  say "data: services stay down"
  echo "$*" >"$RUN/data-failed"
  mountpoint -q "$VAR_DIR" || var_in_memory
  exit 0
}

var_in_memory() {
  say "data: /var is in memory until the next boot"
  mount -t tmpfs -o mode=0755,size=25% var "$VAR_DIR" && fill_var "$VAR_DIR"
}

fill_var() { cp -a "$FACTORY/." "$1/"; }

signature() { blkid -p -o value -s TYPE "$DATA" 2>/dev/null; }

is_begun() { [ "$(dd if="$DATA" bs=${#MARK} count=1 2>/dev/null | tr -d '\0')" = "$MARK" ]; }

# A volume whose first superblock was lost has a second one at 64 MiB (btrfs(5)), which nobody may take for nothing.
has_second_superblock() { [ "$(dd if="$DATA" bs=8 skip=8388616 count=1 2>/dev/null | tr -d '\0')" = _BHRfS_M ]; }

is_blank() { cmp -s -n $((BLANK_MIB * 1024 * 1024)) "$DATA" /dev/zero && ! has_second_superblock; }

# The image's partition ends where the image ends. Only the last partition of the disk that the initramfs found may grow.
grow() {
  name=${DATA##*/} disk=${DISK##*/}
  number=$(cat "$SYS/class/block/$name/partition")
  start=$(cat "$SYS/class/block/$name/start") size=$(cat "$SYS/class/block/$name/size")
  total=$(cat "$SYS/class/block/$disk/size")
  [ $((total - start - size)) -gt 16384 ] || return 0
  for other in "$SYS"/class/block/"$disk"/*/start; do
    [ "$(cat "$other")" -le "$start" ] || { say "data: partition $number is not the last one of $DISK: left as it is"; return 0; }
  done
  if enlarge "$number"; then say "data: $DATA now reaches the end of $DISK"; else say "data: $DATA cannot grow to the end of $DISK"; fi
}

enlarge() {
  sfdisk -q --wipe never --wipe-partitions never --no-reread --no-tell-kernel --relocate gpt-bak-std "$DISK" </dev/null || return 1
  echo ', +' | sfdisk -q --wipe never --wipe-partitions never --no-reread --no-tell-kernel --force -N "$1" "$DISK" || return 1
  partx -u --nr "$1" "$DISK"
}

put() { dd of="$DATA" bs=64K conv=notrunc,fsync status=none "$@"; }

mark() { printf '%s' "$MARK" >"$RUN/mark" && put if="$RUN/mark"; }

unmark() { put if=/dev/zero count=1; }

# Made in memory and copied, with the 64 KiB that make it a file system last: cut at any point there is all of it or none.
make_file_system() {
  image=$RUN/new-data
  rm -f "$image"
  truncate -s "${NEW_MIB}M" "$image" && mkfs.btrfs -q -L $LABEL "$image" && mark &&
    put if="$image" skip=2 seek=2 conv=sparse && put if="$image" skip=1 seek=1 count=1 && unmark
  made=$?
  rm -f "$image"
  return $made
}

# A cut may tear the first superblock, and the kernel mounts by no other: it is written again from the second.
recover_superblock() {
  has_second_superblock || return 1
  btrfs rescue super-recover -y "$DATA" >/dev/null 2>&1
  # 2 says that it was damaged and no longer is (btrfs-progs, super-recover.c).
  [ $? -eq 2 ] && say "data: the first superblock of $DATA was damaged, and was written again"
}

mount_data() { mount -t btrfs -o $OPTIONS "$DATA" "$DATA_DIR"; }

# Formatting is for a partition that is blank, or that was being formatted, and for nothing else.
prepare() {
  type=$(signature)
  case $type in
    # A card that got a new image keeps its data: the image's table says again that it ends where the image does.
    btrfs) ! is_begun || unmark; grow; return 0 ;;
    '') ;;
    *) without_data "$DATA holds a file system of another kind: $type, wanted btrfs; left as it is" ;;
  esac
  if ! is_begun && recover_superblock; then
    grow
    return 0
  fi
  is_begun || is_blank || without_data "$DATA holds no file system but is not blank; left as it is. Where nothing on it is wanted: dd if=/dev/zero of=$DATA bs=1M count=65, and reboot"
  grow
  make_file_system || without_data "$DATA cannot be formatted"
  say "data: made $DATA ready ($(($(cat "$SYS/class/block/${DATA##*/}/size") / 2097152)) GiB)"
}

# A subvolume for each service and slot, so that what a trial does to its data can be undone.
subvolume() {
  [ -d "$DATA_DIR/$1@$SLOT" ] || btrfs -q subvolume create "$DATA_DIR/$1@$SLOT"
}

forget() { [ ! -d "$1" ] || btrfs -q subvolume delete "$1"; }

on_trial() { [ -e "$RUN/trial" ]; }

# What slot $2 left is what it has where that is committed; a slot that runs and is not (a fallback boot) keeps both. A cut may have
# come between the two names.
resolve_left() {
  left=$DATA_DIR/$1@$2.left
  if [ -d "$DATA_DIR/$1@$2" ]; then [ -e "$RUN/fallback" ] || forget "$left"; elif [ -d "$left" ]; then mv "$left" "$DATA_DIR/$1@$2"; fi
}

# try_data SERVICE: this slot's copy is made anew. The new one is whole before the old one goes, and what the slot left when
# it was committed never goes: a trial before this one may have had it.
try_data() {
  mine=$DATA_DIR/$1@$SLOT
  resolve_left "$1" "$OTHER" || return 1
  from=$mine.left
  [ -d "$from" ] || from=$mine
  if grep -qx 'data snapshot' "$RUN/trial" && [ -d "$DATA_DIR/$1@$OTHER" ]; then from=$DATA_DIR/$1@$OTHER; fi
  [ -d "$from" ] || return 0
  forget "$mine.new" && btrfs -q subvolume snapshot "$from" "$mine.new" && set_aside "$mine" && mv "$mine.new" "$mine"
}

set_aside() { if [ -d "$1.left" ]; then forget "$1"; elif [ -d "$1" ]; then mv "$1" "$1.left"; fi; }

# Not a bind mount of $DATA_DIR: what podman mounts below /var would appear there a second time.
mount_subvolume() { mount -t btrfs -o "$OPTIONS,subvol=$1" "$DATA" "$2"; }

# Each generation begins with a /var of its own, made from its image: what another version left there is no concern of it.
mount_var() {
  filled=$DATA_DIR/var@$SLOT/.hangar-filled
  if [ "$(cat "$filled" 2>/dev/null)" != "$ROOT_HASH" ]; then
    forget "$DATA_DIR/var@$SLOT"
    subvolume var || return 1
    # Marked when it is whole and on the disk: a cut before that is filled again.
    { fill_var "$DATA_DIR/var@$SLOT" && btrfs filesystem sync "$DATA_DIR" && echo "$ROOT_HASH" >"$filled"; } || return 1
  fi
  mount_subvolume "var@$SLOT" "$VAR_DIR" && keep_what_lasts
}

# What of /var belongs to the host and not to a generation: the journal, and the clock that was saved.
keep_what_lasts() {
  [ -d "$DATA_DIR/keep" ] || btrfs -q subvolume create "$DATA_DIR/keep" || return 1
  mkdir -p "$RUN/keep" && mount_subvolume keep "$RUN/keep" || return 1
  for path in log/journal lib/systemd/timesync; do
    mkdir -p "$RUN/keep/$path" "$VAR_DIR/$path" && mount --bind "$RUN/keep/$path" "$VAR_DIR/$path" || return 1
  done
}

# SERVICE:UID:GID
mount_service() {
  name=${1%%:*} owner=${1#*:}
  if on_trial; then try_data "$name"; else resolve_left "$name" "$SLOT"; fi || return 1
  subvolume "$name" || return 1
  chown "$owner" "$DATA_DIR/$name@$SLOT" && chmod 0750 "$DATA_DIR/$name@$SLOT" || return 1
  mkdir -p "$RUN/data/$name" && mount_subvolume "$name@$SLOT" "$RUN/data/$name"
}

main() {
  SLOT=$(sed -n 's/^SLOT=//p' "$RUN/boot")
  DISK=$(sed -n 's/^DISK=//p' "$RUN/boot")
  DATA=$(sed -n 's/^DATA=//p' "$RUN/boot")
  ROOT_HASH=$(sed -n 's/^ROOT_HASH=//p' "$RUN/boot")
  if [ "$SLOT" = a ]; then OTHER=b; else OTHER=a; fi
  # Written where autoboot.txt could not be repaired: this slot's copies are not today's.
  [ ! -e "$RUN/wrong-slot" ] || without_data "$(cat "$RUN/wrong-slot")"
  case "$SLOT:$DISK:$DATA:$ROOT_HASH" in :* | *::* | *:) without_data "$RUN/boot names no slot, disk, data partition or root hash" ;; esac
  prepare
  mount_data || { recover_superblock && mount_data; } || without_data "$DATA cannot be mounted"
  btrfs -q filesystem resize max "$DATA_DIR" || say "data: the file system cannot grow to the end of $DATA"
  mount_var || without_data "/var of slot $SLOT cannot be made on $DATA"
  for service; do mount_service "$service" || without_data "the data of '${service%%:*}' cannot be mounted"; done
}

main "$@"
