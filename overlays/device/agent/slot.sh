# shellcheck shell=sh
# Reads and verifies a slot and its boot partition, and makes the slot bootable or unbootable.
# POSIX; sourced under dash. Needs RUN, LIB, WORK and the trusted keys in the identity.

TRUST=$RUN/identity/trust
MOUNTED=$RUN/boot-partition

# keys_in FILE: prints the key of each line without its comment, so that one key with two comments counts as the same key.
# The last line may lack its newline.
keys_in() { [ -r "$1" ] && { cat "$1" && echo; } | sed -n 's/^\(ssh-ed25519 [A-Za-z0-9+/=]\{1,\}\).*/\1/p'; }

# verify_signature MANIFEST SIGNATURE: true if a key made it that this host trusts and that is not revoked.
verify_signature() {
  keys_in "$TRUST/revoked" >"$OWN/revoked" || return 1
  keys_in "$TRUST/signing" | grep -vxF -f "$OWN/revoked" | sed 's/^/hangar namespaces="hangar" /' >"$OWN/signers"
  ssh-keygen -Y verify -q -f "$OWN/signers" -I hangar -n hangar -s "$2" <"$1" >/dev/null 2>&1
}

# manifest FILTER [FILE]
manifest() { jq -er "$1" "${2:-$WORK/manifest.json}"; }

# Checks the form of a manifest, so that the values used later are numbers, hashes and names.
is_manifest() {
  # In jq, `$` also matches before a newline, and a number keeps its spelling (4096.0).
  jq -es '
    def whole: type == "number" and . == floor and . < 9007199254740992 and (tojson | test("^[0-9]+\\z"));
    def hash: type == "string" and test("^[0-9a-f]{64}\\z");
    length == 1 and (.[0] | .format == 1 and (.host | type == "string") and (.board | type == "string") and (.layout | whole)
    and (.serial.time | whole) and (.serial.number | whole)
    and (.slot.size | whole) and (.slot.dataBlocks | whole and . > 0) and (.slot.root | hash)
    and .slot.size > .slot.dataBlocks * 4096 and .slot.size % 4096 == 0
    and (.boot | type == "object" and (to_entries | all((.key | test("^[A-Za-z0-9._-]+\\z")) and (.value.size | whole) and (.value.sha256 | hash)))))
  ' "$1" >/dev/null 2>&1
}

device_size() { blockdev --getsize64 "$1"; }

# True if the firmware could find a boot file system in the slot.
has_boot_sector() { ! dd if="$(boot_device "$1")" bs=512 count=1 2>/dev/null | cmp -s -n 512 - /dev/zero; }

# True if the firmware finds a file system with config.txt. Also true if the file system cannot be mounted, because in the
# initramfs' chroot the kernel may lack the modules for it.
can_boot() {
  [ "$(blkid -p -o value -s TYPE "$(boot_device "$1")" 2>/dev/null)" = vfat ] || return 1
  modprobe -qa vfat nls_ascii nls_cp437 2>/dev/null
  ! with_boot "$1" lacks_config
}

lacks_config() { ! cat "$MOUNTED/config.txt" >/dev/null 2>&1; }

# Removes what is cached about a slot.
slot_changed() { rm -f "$RUN/slot-$1" "$RUN/verified"; }

# Clears the first sector: the firmware finds no file system, so a slot that is being written cannot boot.
make_unbootable() {
  device=$(boot_device "$1")
  slot_changed "$1"
  dd if=/dev/zero of="$device" bs=4096 count=1 conv=notrunc,fsync oflag=direct 2>/dev/null || return 1
  blockdev --flushbufs "$device"
  ! has_boot_sector "$1"
}

# make_bootable SLOT FILE: writes the first 4096 bytes. The first sector comes last, when everything after it is complete.
make_bootable() {
  device=$(boot_device "$1")
  slot_changed "$1"
  dd if="$2" of="$device" bs=512 skip=1 seek=1 count=7 conv=notrunc,fsync 2>/dev/null || return 1
  dd if="$2" of="$device" bs=512 count=1 conv=notrunc,fsync 2>/dev/null || return 1
  blockdev --flushbufs "$device"
  dd if="$device" bs=4096 count=1 2>/dev/null | cmp -s - "$2"
}

# with_boot SLOT COMMAND…: runs a command with the slot's boot file system mounted read-only at MOUNTED, read from the disk
# and not from the page cache. One call at a time: two calls would use the same directory.
with_boot() (
  exec 6>"$RUN/boot-partition.lock"
  flock 6
  device=$(boot_device "$1")
  shift
  umount -q "$MOUNTED" 2>/dev/null
  blockdev --flushbufs "$device" 2>/dev/null
  mkdir -p "$MOUNTED"
  mount -t vfat -o ro,nosuid,nodev,noexec "$device" "$MOUNTED" 2>/dev/null || return 1
  "$@"
  result=$?
  umount "$MOUNTED"
  exit $result
)

# True if the mounted boot file system holds exactly the files of the manifest.
boot_files_match() {
  cmp -s "$1" "$MOUNTED/manifest.json" && cmp -s "$1.sig" "$MOUNTED/manifest.json.sig" || return 1
  manifest '.boot | to_entries[] | "\(.value.sha256)  \(.key)"' "$1" >"$OWN/boot-sums" || return 1
  (cd "$MOUNTED" && sha256sum --quiet --strict -c "$OWN/boot-sums") >/dev/null 2>&1 || return 1
  [ "$(find "$MOUNTED" -mindepth 1 | wc -l)" -eq $(($(wc -l <"$OWN/boot-sums") + 2)) ] || return 1
  tr ' ' '\n' <"$MOUNTED/cmdline.txt" | grep -qx "hangar.root=$(manifest .slot.root "$1")"
}

# slot_holds SLOT MANIFEST: true if every block of the slot matches the manifest's root hash. Reads past the page cache.
slot_holds() {
  [ "$("$LIB/blocks" missing "$(slot_device "$1")" "$(manifest .slot.dataBlocks "$2")" "$(manifest .slot.root "$2")" 2>/dev/null)" = end ]
}

copy_manifest() { cp "$MOUNTED/manifest.json" "$MOUNTED/manifest.json.sig" "$1/"; }

# verify_slot SLOT DIRECTORY: verifies the whole slot against its own manifest, copies the manifest to the directory, and sets
# VERIFIED_ROOT.
verify_slot() {
  mkdir -p "$2"
  has_boot_sector "$1" && with_boot "$1" copy_manifest "$2" || return 1
  is_manifest "$2/manifest.json" && [ "$(manifest .host "$2/manifest.json")" = "$HOST" ] || return 1
  with_boot "$1" boot_files_match "$2/manifest.json" && slot_holds "$1" "$2/manifest.json" || return 1
  # shellcheck disable=SC2034
  VERIFIED_ROOT=$(manifest .slot.root "$2/manifest.json")
}
