# shellcheck shell=sh
# autoboot.txt, the one sector that decides which slot boots. The image brings both versions of it, the file system
# around it, and where in it the sector lies.
# POSIX; sourced under dash. Wants RUN, LIB, SELECTOR and SELECTOR_SECTOR.

# selector_is SLOT: whether the whole of the selector is as it should be for a slot.
selector_is() {
  cmp -s -n "$(wc -c <"$LIB/selector-head")" "$SELECTOR" "$LIB/selector-head" || return 1
  dd if="$SELECTOR" bs=512 skip="$SELECTOR_SECTOR" count=1 2>/dev/null | cmp -s - "$LIB/autoboot-$1"
}

selector_slot() {
  if selector_is a; then echo a; elif selector_is b; then echo b; else echo damaged; fi
}

# selector_write SLOT: one sector, replaced in place. What is around it is only written where it is not as it should be,
# and then first: a sector that is in place while its file system is not is found by nobody.
selector_write() {
  if ! cmp -s -n "$(wc -c <"$LIB/selector-head")" "$SELECTOR" "$LIB/selector-head"; then
    dd if="$LIB/selector-head" of="$SELECTOR" bs=4096 conv=notrunc,fsync 2>/dev/null || return 1
  fi
  selector_sector "$1" oflag=direct || selector_sector "$1" || return 1
  # Read back from the medium, not from memory.
  blockdev --flushbufs "$SELECTOR" 2>/dev/null
  selector_is "$1"
}

selector_sector() {
  dd if="$LIB/autoboot-$1" of="$SELECTOR" bs=512 seek="$SELECTOR_SECTOR" count=1 conv=notrunc,fsync ${2:+"$2"} 2>/dev/null
}
