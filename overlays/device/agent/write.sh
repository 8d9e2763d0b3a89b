# shellcheck shell=sh
# write …: writes a generation to the inactive slot. The order makes it safe: the signature is verified before anything is
# written, the slot cannot boot until all of it was read back, and the running slot is never written.
# POSIX; sourced under dash.

write() {
  part=${1:-}
  [ $# -eq 0 ] || shift
  lock_take "${1:-}"
  shift
  case $part in
    begin) write_begin "$@" ;;
    tree) write_tree ;;
    missing) write_missing "${1:-}" ;;
    blocks) write_blocks "${1:-}" ;;
    finish) write_finish ;;
    *) usage write "$part" ;;
  esac
}

write_begin() {
  { is_number "${1:-}" && is_number "${2:-}" && [ "$1" -le 1048576 ] && [ "$2" -le 8192 ]; } ||
    fail usage "write begin needs the sizes of the manifest and the signature, at most 1048576 and 8192 bytes, got '${1:-}' and '${2:-}'" 'update hangar on the controller'
  # In a fallback boot the firmware boots the other slot next.
  require_committed
  rm -rf "$WORK"
  mkdir -p "$WORK"
  head -c "$1" >"$WORK/manifest.json"
  head -c "$2" >"$WORK/manifest.json.sig"
  refuse_manifest "${3:-}"
  if already_written; then
    jq -cn --arg slot "$OTHER" '{slot: $slot, state: "written"}'
    return
  fi
  disarm
  make_unbootable "$OTHER" || fail_disk "cannot make slot $OTHER unbootable: cannot clear the first sector of $(boot_device "$OTHER")"
  record_set phase writing kind update id - slot "$OTHER" root "$(manifest .slot.root)" serial "$(manifest '"\(.serial.time) \(.serial.number)"')" reason '' \
    previously_committed "$ROOT_HASH" ||
    fail_disk "cannot write the record to $IDENTITY"
  : >"$WORK/begun"
  jq -cn --arg slot "$OTHER" '{slot: $slot, state: "begun"}'
}

# Checks all that is known before the first byte is written. $1 may be --allow-downgrade.
refuse_manifest() {
  verify_signature "$WORK/manifest.json" "$WORK/manifest.json.sig" ||
    fail signature "the image is not signed by a key that $HOST trusts ($(wc -l <"$OWN/signers") trusted)" 'build it with the key that signed the running image (~/.config/hangar/signing_key, or HANGAR_SIGNING_KEY)'
  is_manifest "$WORK/manifest.json" || fail usage 'the manifest is signed, but this host cannot read its format' 'build the image with the version of hangar that built the running image'
  for name in host board layout; do
    case $name in host) want=$HOST code=foreign ;; board) want=$BOARD code=foreign ;; *) want=$LAYOUT code=layout ;; esac
    have=$(manifest ".$name")
    [ "$have" = "$want" ] || fail $code "the image is for $name '$have', but this is $name '$want'" "build the image of this host: npm run build:image $HOST"
  done
  refuse_downgrade "${1:-}"
  [ "$(manifest .slot.size)" -le "$(device_size "$(slot_device "$OTHER")")" ] ||
    fail size "the image has $(manifest .slot.size) bytes, but slot $OTHER holds only $(device_size "$(slot_device "$OTHER")")" "slots cannot grow: remove a service from hosts/$HOST.ts"
  refuse_old_firmware
}

refuse_downgrade() {
  [ "$1" != --allow-downgrade ] || return 0
  floor=$(cat "$TRUST/serial" 2>/dev/null)
  # Without a known serial every image is refused: jq would accept any serial as greater than none.
  jq -e --arg floor "$floor" '($floor | test("^[0-9]+ [0-9]+$")) and [.serial.time, .serial.number] >= ($floor | split(" ") | map(tonumber))' "$WORK/manifest.json" >/dev/null ||
    fail downgrade "the image's serial is $(manifest '"\(.serial.time) \(.serial.number)"'), this host has committed ${floor:-an unknown serial}" "raise 'number' in hosts/$HOST.ts or update the lock; to downgrade on purpose: npm run flash $HOST -- --allow-downgrade"
}

# An older EEPROM may lose the trial flag or boot the wrong partition (rpi-eeprom's release notes for 2712).
OLDEST_FIRMWARE=1762300800

refuse_old_firmware() {
  time=$(firmware_time)
  [ "$time" -ge $OLDEST_FIRMWARE ] ||
    fail firmware "the board's EEPROM is from $(date -u -d "@$time" +%F), wanted 2025-11-05 or newer" "write 'Bootloader (Pi 5)' to an SD card with Raspberry Pi Imager, start the board from that card once, and put its own disk back"
}

# True if an earlier write of this manifest ended: the slot is complete and can boot.
already_written() {
  [ "$(record_get phase)" = written ] && [ "$(record_get root)" = "$(manifest .slot.root)" ] || return 1
  verify_slot "$OTHER" "$OWN/other" && cmp -s "$OWN/other/manifest.json" "$WORK/manifest.json"
}

# A trial flag that is still set, from an interrupted update or by hand, would boot the slot that is being overwritten.
disarm() {
  [ "$(tryboot_get)" = 0 ] || tryboot_set 0 || [ "$(record_get phase)" != armed ] ||
    fail firmware 'cannot clear the trial flag of an earlier update' "reboot the host (ssh root@$HOST reboot), and run the same command again"
}

# A slot that can boot is not written any more: it was verified as it is.
require_begun() {
  [ -e "$WORK/begun" ] || fail state 'no write has begun since this host booted' 'run the same command again: it begins the write again'
  ! has_boot_sector "$OTHER" || fail state "slot $OTHER can boot: its write has already ended" 'run the same command again: it begins the write again'
}

write_tree() {
  require_begun
  blocks=$(manifest .slot.dataBlocks)
  size=$(($(manifest .slot.size) - blocks * 4096))
  head -c "$size" | dd of="$(slot_device "$OTHER")" bs=1M seek=$((blocks * 4096)) oflag=seek_bytes iflag=fullblock conv=notrunc,fsync 2>/dev/null ||
    fail_disk "cannot write the hash tree to slot $OTHER"
  ok
}

write_missing() {
  require_begun
  case $1 in
    slot) "$LIB/blocks" missing "$(slot_device "$OTHER")" "$(manifest .slot.dataBlocks)" "$(manifest .slot.root)" 2>"$WORK/stderr" ||
      fail tree "the hash tree of slot $OTHER does not match the signed root hash: $(cat "$WORK/stderr")" 'run the same command again: it sends the tree again' ;;
    boot)
      read_boot_tree
      boot_missing || fail tree "the hash tree of the boot file system is damaged or incomplete: $(cat "$WORK/stderr")" 'run the same command again: it sends the tree again'
      ;;
    *) usage write missing "$1" ;;
  esac
}

read_boot_tree() {
  { read -r blocks root && is_number "$blocks" && is_hash "$root" && [ $((blocks * 4096)) -le "$(device_size "$(boot_device "$OTHER")")" ]; } ||
    fail usage 'write missing boot needs a line BLOCKS ROOT that fits the partition' 'update hangar on the controller'
  head -c 33554432 >"$WORK/boot.tree"
  echo "$blocks $root" >"$WORK/boot.size"
}

# Leaves out block 0, which is written last.
boot_missing() {
  read -r blocks root <"$WORK/boot.size"
  "$LIB/blocks" missing "$(boot_device "$OTHER")" "$blocks" "$root" --tree "$WORK/boot.tree" 2>"$WORK/stderr" >"$WORK/boot.missing" || return 1
  awk '$1 == 0 && $1 != "end" { if ($2 > 1) print 1, $2 - 1; next } { print }' "$WORK/boot.missing"
}

write_blocks() {
  require_begun
  case $1 in
    slot) device=$(slot_device "$OTHER") first=0 count=$(manifest .slot.dataBlocks) ;;
    boot) device=$(boot_device "$OTHER") first=1 count=$(($(cut -d' ' -f1 "$WORK/boot.size") - 1)) ;;
    *) usage write blocks "$1" ;;
  esac
  # The window limits the memory that zstd needs to 16 MiB, for an image of any size.
  written=$(zstd -dcq -M16MiB 2>/dev/null | "$LIB/blocks" write "$device" "$first" "$count" 2>"$WORK/stderr")
  case $? in
    0) jq -cn --argjson blocks "$written" '{ok: true, blocks: $blocks}' ;;
    5) fail_disk "cannot write slot $OTHER: $(cat "$WORK/stderr")" ;;
    *) fail stream "cannot use the received blocks: $(cat "$WORK/stderr")" 'run the same command again: it continues from here' ;;
  esac
}

write_finish() {
  require_begun
  head -c 4096 >"$WORK/boot.first"
  [ "$(wc -c <"$WORK/boot.first")" -eq 4096 ] || fail stream 'the first block of the boot file system is incomplete' 'run the same command again: it sends the block again'
  slot_holds "$OTHER" "$WORK/manifest.json" || fail incomplete "slot $OTHER does not read back as it was signed" 'run the same command again: it sends the missing blocks; if that does not help, the disk is failing'
  [ "$(boot_missing)" = end ] || fail incomplete "the boot file system of slot $OTHER does not read back as it was sent" 'run the same command again: it sends the missing blocks'
  if ! make_bootable "$OTHER" "$WORK/boot.first"; then
    make_unbootable "$OTHER"
    fail_disk "the first sector of $(boot_device "$OTHER") does not read back as it was written"
  fi
  if ! with_boot "$OTHER" boot_files_match "$WORK/manifest.json"; then
    make_unbootable "$OTHER"
    fail incomplete "the boot files of slot $OTHER do not read back as they were signed" 'run the same command again: it writes them again'
  fi
  record_set phase written || fail_disk "cannot write the record to $IDENTITY"
  manifest .slot.root >"$RUN/verified"
  jq -cn --arg slot "$OTHER" --arg root "$(manifest .slot.root)" '{ok: true, slot: $slot, root: $root}'
}
