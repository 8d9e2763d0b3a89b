# shellcheck shell=sh
# write …: brings a generation into the inactive slot. Order is safety: nothing is written before the signature holds, the
# slot cannot boot from before its first byte changes until its last is read back, and what runs is never touched.
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
    fail usage "write begin wants the sizes of manifest and signature, at most 1048576 and 8192 bytes" 'update hangar'
  [ "$(boot_state)" != trial ] || fail busy 'this boot is a trial that is not decided yet' 'wait until it commits or ends: npm run status'
  # Then the other slot is what the firmware boots next.
  [ "$(boot_state)" = committed ] || fail state "slot $SLOT runs and is not committed: autoboot.txt boots '$(selector_slot)'" "reboot the host: the boot repairs autoboot.txt. If slot $SLOT is still not committed: npm run status $HOST"
  rm -rf "$WORK"
  mkdir -p "$WORK"
  head -c "$1" >"$WORK/manifest.json"
  head -c "$2" >"$WORK/manifest.json.sig"
  refuse_manifest "${3:-}"
  if holds_already; then
    jq -cn --arg slot "$OTHER" '{slot: $slot, state: "written"}'
    return
  fi
  disarm
  make_unbootable "$OTHER" || fail disk "cannot make slot $OTHER unbootable: $(boot_device "$OTHER") does not take it" 'the disk may be failing: see the kernel log on the host (dmesg)'
  record_set phase writing kind update id - slot "$OTHER" root "$(manifest .slot.root)" serial "$(manifest '"\(.serial.time) \(.serial.number)"')" reason '' \
    previously_committed "$ROOT_HASH" ||
    fail disk "cannot write the record to $IDENTITY" 'the disk may be failing: see the kernel log on the host (dmesg)'
  : >"$WORK/begun"
  jq -cn --arg slot "$OTHER" '{slot: $slot, state: "begun"}'
}

# Everything that is known before a byte is written. $1 may be --allow-downgrade.
refuse_manifest() {
  verify_signature "$WORK/manifest.json" "$WORK/manifest.json.sig" ||
    fail signature "the image is not signed by a key that $HOST trusts ($(wc -l <"$OWN/signers") trusted)" 'build it with the key that signed what runs now (~/.config/hangar/signing_key, or HANGAR_SIGNING_KEY)'
  is_manifest "$WORK/manifest.json" || fail usage 'the manifest is signed but not of a form that this host reads' 'build the image with a hangar that fits the one on the host'
  for name in host board layout; do
    case $name in host) want=$HOST code=foreign ;; board) want=$BOARD code=foreign ;; *) want=$LAYOUT code=layout ;; esac
    have=$(manifest ".$name")
    [ "$have" = "$want" ] || fail $code "the image is for $name '$have', this is '$want'" "build the image of this host: npm run build:image $HOST"
  done
  refuse_downgrade "${1:-}"
  [ "$(manifest .slot.size)" -le "$(device_size "$(slot_device "$OTHER")")" ] ||
    fail size "the image takes $(manifest .slot.size) bytes, slot $OTHER has $(device_size "$(slot_device "$OTHER")")" 'take a service out of the host file: slots cannot grow'
  refuse_old_firmware
}

refuse_downgrade() {
  [ "$1" != --allow-downgrade ] || return 0
  floor=$(cat "$TRUST/serial" 2>/dev/null)
  # Where it is not known nothing is new enough: everything is more than nothing.
  jq -e --arg floor "$floor" '($floor | test("^[0-9]+ [0-9]+$")) and [.serial.time, .serial.number] >= ($floor | split(" ") | map(tonumber))' "$WORK/manifest.json" >/dev/null ||
    fail downgrade "the image's serial is $(manifest '"\(.serial.time) \(.serial.number)"'), this host has committed ${floor:-what nobody knows}" 'raise number in the host file or update the lock; to go back on purpose: -- --allow-downgrade'
}

# A Pi whose EEPROM is older may lose the flag, or boot the wrong partition (rpi-eeprom's release notes for 2712).
OLDEST_FIRMWARE=1762300800

refuse_old_firmware() {
  time=$(firmware_time)
  [ "$time" -ge $OLDEST_FIRMWARE ] ||
    fail firmware "the board's EEPROM is of $(date -u -d "@$time" +%F), wanted 2025-11-05 or newer" "write Raspberry Pi Imager's 'Bootloader' card for the Pi 5, start the board with it once, and put its own disk back"
}

# A write that ended before: whole and bootable, and of this very manifest.
holds_already() {
  [ "$(record_get phase)" = written ] && [ "$(record_get root)" = "$(manifest .slot.root)" ] || return 1
  verify_slot "$OTHER" "$OWN/other" && cmp -s "$OWN/other/manifest.json" "$WORK/manifest.json"
}

# A flag that is still set, by an update that went no further or by hand, would boot what is being overwritten.
disarm() {
  [ "$(tryboot_get)" = 0 ] || tryboot_set 0 || [ "$(record_get phase)" != armed ] ||
    fail firmware 'the trial that was armed before cannot be disarmed' 'reboot the host, and try again'
}

# What can boot takes nothing any more: it was read back as it is.
wants_begun() {
  [ -e "$WORK/begun" ] || fail state 'no write has begun since the host started' 'begin again: the same command does'
  ! has_boot_sector "$OTHER" || fail state "slot $OTHER can boot: its write has ended" 'begin again: the same command does'
}

write_tree() {
  wants_begun
  blocks=$(manifest .slot.dataBlocks)
  size=$(($(manifest .slot.size) - blocks * 4096))
  head -c "$size" | dd of="$(slot_device "$OTHER")" bs=1M seek=$((blocks * 4096)) oflag=seek_bytes iflag=fullblock conv=notrunc,fsync 2>/dev/null ||
    fail disk "writing the hash tree to slot $OTHER failed" 'the disk may be failing: see the kernel log on the host (dmesg)'
  ok
}

write_missing() {
  wants_begun
  case $1 in
    slot) "$LIB/blocks" missing "$(slot_device "$OTHER")" "$(manifest .slot.dataBlocks)" "$(manifest .slot.root)" 2>"$WORK/complaint" ||
      fail tree "the slot's hash tree is not what was signed: $(cat "$WORK/complaint")" 'the same command sends it again' ;;
    boot)
      read_boot_tree
      boot_missing || fail tree "the boot file system's hash tree does not arrive whole: $(cat "$WORK/complaint")" 'the same command sends it again'
      ;;
    *) usage write missing "$1" ;;
  esac
}

read_boot_tree() {
  { read -r blocks root && is_number "$blocks" && is_hash "$root" && [ $((blocks * 4096)) -le "$(device_size "$(boot_device "$OTHER")")" ]; } ||
    fail usage 'write missing boot wants a line BLOCKS ROOT that fits the partition' 'update hangar'
  head -c 33554432 >"$WORK/boot.tree"
  echo "$blocks $root" >"$WORK/boot.size"
}

# Block 0 is no part of it: it is written at the very end.
boot_missing() {
  read -r blocks root <"$WORK/boot.size"
  "$LIB/blocks" missing "$(boot_device "$OTHER")" "$blocks" "$root" --tree "$WORK/boot.tree" 2>"$WORK/complaint" >"$WORK/boot.missing" || return 1
  awk '$1 == 0 && $1 != "end" { if ($2 > 1) print 1, $2 - 1; next } { print }' "$WORK/boot.missing"
}

write_blocks() {
  wants_begun
  case $1 in
    slot) device=$(slot_device "$OTHER") first=0 count=$(manifest .slot.dataBlocks) ;;
    boot) device=$(boot_device "$OTHER") first=1 count=$(($(cut -d' ' -f1 "$WORK/boot.size") - 1)) ;;
    *) usage write blocks "$1" ;;
  esac
  # A window of at most 16 MiB: what is unpacked takes no more, whatever the image's size.
  written=$(zstd -dcq -M16MiB 2>/dev/null | "$LIB/blocks" write "$device" "$first" "$count" 2>"$WORK/complaint")
  case $? in
    0) jq -cn --argjson blocks "$written" '{ok: true, blocks: $blocks}' ;;
    5) fail disk "writing slot $OTHER failed: $(cat "$WORK/complaint")" 'the disk may be failing: see the kernel log on the host (dmesg)' ;;
    *) fail stream "what arrived cannot be used: $(cat "$WORK/complaint")" 'the same command goes on from here' ;;
  esac
}

write_finish() {
  wants_begun
  head -c 4096 >"$WORK/boot.first"
  [ "$(wc -c <"$WORK/boot.first")" -eq 4096 ] || fail stream 'the first block of the boot file system does not arrive whole' 'the same command sends it again'
  slot_holds "$OTHER" "$WORK/manifest.json" || fail incomplete "slot $OTHER, read back, is not what was signed" 'the same command sends what is missing; if it stays so, the disk is failing'
  [ "$(boot_missing)" = end ] || fail incomplete "the boot file system of slot $OTHER, read back, is not what was sent" 'the same command sends what is missing'
  if ! make_bootable "$OTHER" "$WORK/boot.first"; then
    make_unbootable "$OTHER"
    fail disk "the first sector of $(boot_device "$OTHER") does not stay as written" 'the disk may be failing: see the kernel log on the host (dmesg)'
  fi
  if ! with_boot "$OTHER" boot_files_match "$WORK/manifest.json"; then
    make_unbootable "$OTHER"
    fail incomplete "the boot files of slot $OTHER, read back, are not what was signed" 'the same command writes them again'
  fi
  record_set phase written || fail disk "cannot write the record to $IDENTITY" 'the disk may be failing: see the kernel log on the host (dmesg)'
  manifest .slot.root >"$RUN/verified"
  jq -cn --arg slot "$OTHER" --arg root "$(manifest .slot.root)" '{ok: true, slot: $slot, root: $root}'
}
