# shellcheck shell=sh
# Reverts to the other slot, if its generation was committed on this host before.
# POSIX; sourced under dash.

# revert [--with-data]
revert() {
  case $*:$# in :0) data=snapshot ;; --with-data:1) data=as-was ;; *) usage revert "$@" ;; esac
  [ "$(boot_state)" != trial ] || fail busy 'this boot is a trial: a reboot returns to the other slot' 'end the trial now: reboot the host'
  # Until this call ends, no controller may begin to write the slot that is verified and armed here.
  lock_guard
  lock_refuse_others ''
  verify_slot "$OTHER" "$OWN/other" ||
    fail state "cannot revert: slot $OTHER holds no complete generation" "flash the generation that you want: npm run flash $HOST"
  # A revert commits itself. A generation without working SSH would lock the owner out.
  was_committed "$VERIFIED_ROOT" ||
    fail state "cannot revert: slot $OTHER holds a generation that was never committed here$(why_reverted)" "boot it on trial: npm run flash $HOST"
  id=revert-$(cut -c 1-8 "${HANGAR_PROC:-/proc}/sys/kernel/random/uuid")
  arm_other revert "$id" "$VERIFIED_ROOT" "$data" local 300
  jq -cn --arg id "$id" --arg slot "$OTHER" --arg root "$VERIFIED_ROOT" '{ok: true, id: $id, slot: $slot, root: $root}'
}

# Prints the root hashes of the slots that were committed, the newest first. `write begin` records the running one alone;
# a commit puts its own before that. No controller ever reached a slot with another root hash.
committed_roots() {
  committed_before=$(record_get previously_committed)
  # A record without the key: the other slot may be the one that was committed.
  [ -n "$committed_before" ] || committed_before=$(slot_json "$OTHER" | jq -r '.root // empty')
  case $committed_before in
    # Both slots hold the same root hash, and differ in their boot files.
    "$ROOT_HASH") echo "$ROOT_HASH $ROOT_HASH" ;;
    "$ROOT_HASH"*) echo "$committed_before" ;;
    *) echo "$ROOT_HASH${committed_before:+ ${committed_before%% *}}" ;;
  esac
}

# A generation that was written but not committed may have the root hash of a committed one and other boot files.
was_committed() {
  case $(record_get kind):$(record_get slot):$(record_get phase) in
    "update:$OTHER:committed") ;;
    "update:$OTHER:"*) return 1 ;;
  esac
  case " $(record_get previously_committed) " in *" $1 "*) ;; *) return 1 ;; esac
}

why_reverted() {
  [ "$(record_get slot):$(record_get phase)" != "$OTHER:reverted" ] || echo " ($(record_get reason))"
}
