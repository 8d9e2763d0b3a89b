# shellcheck shell=sh
# Reads and writes autoboot.txt, the one sector that decides which slot boots. The image contains both versions of the
# sector, the file system around it, and the number of the sector.
# POSIX; sourced under dash. Needs RUN, LIB, SELECTOR and SELECTOR_SECTOR.

# selector_is SLOT: true if the whole selector is as it should be for that slot.
selector_is() {
  cmp -s -n "$(wc -c <"$LIB/selector-head")" "$SELECTOR" "$LIB/selector-head" || return 1
  dd if="$SELECTOR" bs=512 skip="$SELECTOR_SECTOR" count=1 2>/dev/null | cmp -s - "$LIB/autoboot-$1"
}

selector_slot() {
  if selector_is a; then echo a; elif selector_is b; then echo b; else echo damaged; fi
}

# selector_write SLOT: replaces one sector in place. Writes the file system around the sector first, if that is damaged: the
# firmware cannot find autoboot.txt in a damaged file system.
selector_write() {
  if ! cmp -s -n "$(wc -c <"$LIB/selector-head")" "$SELECTOR" "$LIB/selector-head"; then
    dd if="$LIB/selector-head" of="$SELECTOR" bs=4096 conv=notrunc,fsync 2>/dev/null || return 1
  fi
  selector_sector "$1" oflag=direct || selector_sector "$1" || return 1
  # Without this the read would come from memory instead of the disk.
  blockdev --flushbufs "$SELECTOR" 2>/dev/null
  selector_is "$1"
}

selector_sector() {
  dd if="$LIB/autoboot-$1" of="$SELECTOR" bs=512 seek="$SELECTOR_SECTOR" count=1 conv=notrunc,fsync ${2:+"$2"} 2>/dev/null
}
