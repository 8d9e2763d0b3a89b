# shellcheck shell=sh
# The way back: to what was committed here, and to nothing else.
# POSIX; sourced under dash.

# revert [--with-data]
revert() {
  case $*:$# in :0) data=snapshot ;; --with-data:1) data=as-was ;; *) usage revert "$@" ;; esac
  [ "$(boot_state)" != trial ] || fail busy 'this boot is a trial: it ends on the other slot by itself' 'reboot ends it at once'
  # To the end of this call: nobody begins to write what is verified and armed here.
  lock_guard
  lock_refuse_others ''
  verify_slot "$OTHER" "$OWN/other" ||
    fail state "slot $OTHER holds no whole generation to go back to" 'flash the generation that you want: npm run flash'
  # It would commit itself, and nobody has ever reached this host on it.
  was_committed "$VERIFIED_ROOT" ||
    fail state "slot $OTHER holds what was never committed here$(why_not_kept): that is nothing to go back to" 'npm run flash tries it, and keeps it only once this host can be reached on it'
  id=revert-$(cut -c 1-8 "${HANGAR_PROC:-/proc}/sys/kernel/random/uuid")
  arm_other revert "$id" "$VERIFIED_ROOT" "$data" local 300
  jq -cn --arg id "$id" --arg slot "$OTHER" --arg root "$VERIFIED_ROOT" '{ok: true, id: $id, slot: $slot, root: $root}'
}

# What the two slots were when they were committed, the newest first. `write begin` names what runs, and that alone; a
# commit puts what it commits before that. A slot that holds anything else was never reached by anybody.
committed_roots() {
  committed_before=$(record_get previously_committed)
  # An agent of before did not say.
  [ -n "$committed_before" ] || committed_before=$(slot_json "$OTHER" | jq -r '.root // empty')
  case $committed_before in
    "$ROOT_HASH"*) echo "$committed_before" ;;
    *) echo "$ROOT_HASH${committed_before:+ ${committed_before%% *}}" ;;
  esac
}

# What was written last and not kept may have the root of one that was, and other boot files.
was_committed() {
  case $(record_get kind):$(record_get slot):$(record_get phase) in
    "update:$OTHER:committed") ;;
    "update:$OTHER:"*) return 1 ;;
  esac
  case " $(record_get previously_committed) " in *" $1 "*) ;; *) return 1 ;; esac
}

why_not_kept() {
  [ "$(record_get slot):$(record_get phase)" != "$OTHER:reverted" ] || echo " ($(record_get reason))"
}
