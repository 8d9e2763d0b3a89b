#!/bin/sh
# data NAME:UID:GID[:BYTES]...: mounts the data volume at /data, this slot's /var, and each service's own subvolume at
# /run/hangar/data/SERVICE. At the first boot the partition grows to the end of the disk and is formatted.
#
# A trial (/run/hangar/trial) works on new snapshots: of the committed slot's data, or, for a revert with its own data, of the
# data that this slot had when it was last committed. So a failed trial changes neither: SERVICE@SLOT of the committed slot
# and SERVICE@SLOT.left of the slot on trial keep the former data. After a commit, .left is removed.
#
# BYTES is the quota of each copy: the most that it may refer to, shared data included. Without it, there is no quota.
#
# A partition with unexpected content is never formatted: /var is in memory, services stay down, and the reason is on the
# console and in /run/hangar/data-failed. SSH works without this volume.
# POSIX; runs under dash.
set -u

RUN=${HANGAR_RUN:-/run/hangar}
DATA_DIR=${HANGAR_DATA:-/data}
VAR_DIR=${HANGAR_VAR:-/var}
FACTORY=${HANGAR_FACTORY:-/usr/share/factory/var}
SYS=${HANGAR_SYS:-/sys}
LABEL=hangar-data
OPTIONS=noatime,compress=zstd:1
# Written to the partition's start, which btrfs does not use, while the partition is being formatted: a partition with this
# mark lost power while hangar formatted it.
MARK='hangar is formatting this partition'
# Size of a new file system in MiB. It grows to the size of the partition after it is mounted.
NEW_MIB=512
# A partition counts as blank if this many MiB at its start are zero.
BLANK_MIB=4

say() { echo "<3>hangar: $*" >/dev/kmsg 2>/dev/null || echo "hangar: $*" >&2; }

# Continues without the volume, so that the owner can log in over SSH and read the reason.
without_data() {
  say "data: $*"
  say "data: services that need the data volume stay down; SSH works"
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

# btrfs keeps a second superblock at 64 MiB (btrfs(5)): a volume that has only lost its first one is not blank.
has_second_superblock() { [ "$(dd if="$DATA" bs=8 skip=8388616 count=1 2>/dev/null | tr -d '\0')" = _BHRfS_M ]; }

is_blank() { cmp -s -n $((BLANK_MIB * 1024 * 1024)) "$DATA" /dev/zero && ! has_second_superblock; }

# Grows the partition from the end of the image to the end of the disk, if it is the last partition of the disk.
grow() {
  name=${DATA##*/} disk=${DISK##*/}
  number=$(cat "$SYS/class/block/$name/partition")
  start=$(cat "$SYS/class/block/$name/start") size=$(cat "$SYS/class/block/$name/size")
  total=$(cat "$SYS/class/block/$disk/size")
  [ $((total - start - size)) -gt 16384 ] || return 0
  for other in "$SYS"/class/block/"$disk"/*/start; do
    [ "$(cat "$other")" -le "$start" ] || { say "data: cannot grow partition $number: it is not the last one of $DISK"; return 0; }
  done
  if enlarge "$number"; then say "data: $DATA was grown to the end of $DISK"; else say "data: cannot grow $DATA to the end of $DISK: the volume keeps its size"; fi
}

enlarge() {
  sfdisk -q --wipe never --wipe-partitions never --no-reread --no-tell-kernel --relocate gpt-bak-std "$DISK" </dev/null || return 1
  echo ', +' | sfdisk -q --wipe never --wipe-partitions never --no-reread --no-tell-kernel --force -N "$1" "$DISK" || return 1
  partx -u --nr "$1" "$DISK"
}

put() { dd of="$DATA" bs=64K conv=notrunc,fsync status=none "$@"; }

mark() { printf '%s' "$MARK" >"$RUN/mark" && put if="$RUN/mark"; }

unmark() { put if=/dev/zero count=1; }

# Makes the file system in memory and copies it. Its superblock comes last, so that a power cut leaves all of it or none.
make_file_system() {
  image=$RUN/new-data
  rm -f "$image"
  truncate -s "${NEW_MIB}M" "$image" && mkfs.btrfs -q -L $LABEL "$image" && mark &&
    put if="$image" skip=2 seek=2 conv=sparse && put if="$image" skip=1 seek=1 count=1 && unmark
  made=$?
  rm -f "$image"
  return $made
}

# A power cut may damage the first superblock, and the kernel mounts no other: this restores it from the second one.
recover_superblock() {
  has_second_superblock || return 1
  btrfs rescue super-recover -y "$DATA" >/dev/null 2>&1
  # Exit status 2: the superblock was damaged and is repaired (btrfs-progs, super-recover.c).
  [ $? -eq 2 ] && say "data: the first superblock of $DATA was damaged; restored it from the second one"
}

mount_data() { mount -t btrfs -o $OPTIONS "$DATA" "$DATA_DIR"; }

# Formats the partition only if it is blank, or if hangar was formatting it when the power was cut.
prepare() {
  type=$(signature)
  case $type in
    # A new image on an old card keeps the data, but its partition table ends at the image's end again.
    btrfs) ! is_begun || unmark; grow; return 0 ;;
    '') ;;
    *) without_data "$DATA holds a file system of type $type, wanted btrfs; hangar does not change it" ;;
  esac
  if ! is_begun && recover_superblock; then
    grow
    return 0
  fi
  is_begun || is_blank || without_data "$DATA holds no file system but is not blank; hangar does not change it. To erase it and start with empty data: dd if=/dev/zero of=$DATA bs=1M count=65 && reboot"
  grow
  make_file_system || without_data "cannot format $DATA: the disk may be failing (dmesg)"
  say "data: formatted $DATA ($(($(cat "$SYS/class/block/${DATA##*/}/size") / 2097152)) GiB)"
}

# Creates a subvolume for each service and slot, so that a failed trial does not change the committed slot's data.
subvolume() {
  [ -d "$DATA_DIR/$1@$SLOT" ] || btrfs -q subvolume create "$DATA_DIR/$1@$SLOT"
}

delete_subvolume() { [ ! -d "$1" ] || btrfs -q subvolume delete "$1"; }

on_trial() { [ -e "$RUN/trial" ]; }

# resolve_left SERVICE SLOT: finishes what a trial of that slot left. Deletes SERVICE@SLOT.left if SERVICE@SLOT exists, unless
# this is a fallback boot, which keeps both. Renames .left back if a power cut came between the two renames of a trial.
resolve_left() {
  left=$DATA_DIR/$1@$2.left
  if [ -d "$DATA_DIR/$1@$2" ]; then [ -e "$RUN/fallback" ] || delete_subvolume "$left"; elif [ -d "$left" ]; then mv "$left" "$DATA_DIR/$1@$2"; fi
}

# snapshot_for_trial SERVICE: replaces this slot's data by a new snapshot, which is complete before the old data are moved.
# Never deletes the data that the slot had when it was last committed (.left).
snapshot_for_trial() {
  mine=$DATA_DIR/$1@$SLOT
  resolve_left "$1" "$OTHER" || return 1
  from=$mine.left
  [ -d "$from" ] || from=$mine
  if grep -qx 'data snapshot' "$RUN/trial" && [ -d "$DATA_DIR/$1@$OTHER" ]; then from=$DATA_DIR/$1@$OTHER; fi
  [ -d "$from" ] || return 0
  delete_subvolume "$mine.new" && btrfs -q subvolume snapshot "$from" "$mine.new" && set_aside "$mine" && mv "$mine.new" "$mine"
}

set_aside() { if [ -d "$1.left" ]; then delete_subvolume "$1"; elif [ -d "$1" ]; then mv "$1" "$1.left"; fi; }

# A bind mount of $DATA_DIR would show podman's mounts below /var a second time.
mount_subvolume() { mount -t btrfs -o "$OPTIONS,subvol=$1" "$DATA" "$2"; }

# Each generation starts with a new /var from its image, so that it never reads files of another version.
mount_var() {
  filled=$DATA_DIR/var@$SLOT/.hangar-filled
  if [ "$(cat "$filled" 2>/dev/null)" != "$ROOT_HASH" ]; then
    delete_subvolume "$DATA_DIR/var@$SLOT"
    subvolume var || return 1
    # The mark is written after the sync: after an earlier power cut, the next boot fills /var again.
    { fill_var "$DATA_DIR/var@$SLOT" && btrfs filesystem sync "$DATA_DIR" && echo "$ROOT_HASH" >"$filled"; } || return 1
  fi
  mount_subvolume "var@$SLOT" "$VAR_DIR" && mount_persistent_var
}

# Mounts the parts of /var that belong to the host and not to a generation: the journal and the saved clock.
mount_persistent_var() {
  [ -d "$DATA_DIR/keep" ] || btrfs -q subvolume create "$DATA_DIR/keep" || return 1
  mkdir -p "$RUN/keep" && mount_subvolume keep "$RUN/keep" || return 1
  for path in log/journal lib/systemd/timesync; do
    mkdir -p "$RUN/keep/$path" "$VAR_DIR/$path" && mount --bind "$RUN/keep/$path" "$VAR_DIR/$path" || return 1
  done
}

# Lets btrfs count what each subvolume refers to. Without the counts, services run without quotas.
count_usage() {
  btrfs -q quota enable "$DATA_DIR" || { say 'data: cannot count the data of the services: they have no quotas'; return 0; }
  # After it has deleted a large subvolume, btrfs may no longer know the counts. It counts again while the services run.
  for state in "$SYS"/fs/btrfs/*/qgroups/inconsistent; do
    [ "$(cat "$state" 2>/dev/null)" != 1 ] || btrfs -q quota rescan "$DATA_DIR" 2>/dev/null
  done
}

# set_quota SUBVOLUME BYTES|none: a new snapshot has the quota of its source, and the host file may have changed. Names the
# group and not the path: btrfs would refuse to change the quota of a path whose quota is full.
set_quota() {
  if ! { id=$(btrfs inspect-internal rootid "$DATA_DIR/$1") && btrfs -q qgroup limit "$2" "0/$id" "$DATA_DIR"; }; then say "data: cannot set the quota of $1"; fi
}

# NAME:UID:GID[:BYTES]
mount_service() {
  name=${1%%:*} owner=${1#*:} quota=none
  case $owner in *:*:*) quota=${owner##*:} owner=${owner%:*} ;; esac
  if on_trial; then snapshot_for_trial "$name"; else resolve_left "$name" "$SLOT"; fi || return 1
  subvolume "$name" || return 1
  # With a full quota, even a change of the owner would fail.
  set_quota "$name@$SLOT" none
  chown "$owner" "$DATA_DIR/$name@$SLOT" && chmod 0750 "$DATA_DIR/$name@$SLOT" || return 1
  [ "$quota" = none ] || set_quota "$name@$SLOT" "$quota"
  mkdir -p "$RUN/data/$name" && mount_subvolume "$name@$SLOT" "$RUN/data/$name"
}

main() {
  SLOT=$(sed -n 's/^SLOT=//p' "$RUN/boot")
  DISK=$(sed -n 's/^DISK=//p' "$RUN/boot")
  DATA=$(sed -n 's/^DATA=//p' "$RUN/boot")
  ROOT_HASH=$(sed -n 's/^ROOT_HASH=//p' "$RUN/boot")
  if [ "$SLOT" = a ]; then OTHER=b; else OTHER=a; fi
  # The agent writes this file if it cannot repair autoboot.txt: the data of this slot are not today's.
  [ ! -e "$RUN/wrong-slot" ] || without_data "$(cat "$RUN/wrong-slot")"
  case "$SLOT:$DISK:$DATA:$ROOT_HASH" in :* | *::* | *:) without_data "$RUN/boot lacks the slot, the disk, the data partition or the root hash" ;; esac
  prepare
  mount_data || { recover_superblock && mount_data; } || without_data "cannot mount $DATA: look at the kernel log (dmesg)"
  btrfs -q filesystem resize max "$DATA_DIR" || say "data: cannot grow the file system to the size of $DATA: it keeps its size"
  count_usage
  mount_var || without_data "cannot create /var of slot $SLOT on $DATA"
  for service; do mount_service "$service" || without_data "cannot mount the data of service '${service%%:*}' on $DATA"; done
}

main "$@"
