# shellcheck shell=sh
# Keeps two updates apart. A controller is many connections, so the lock is a file that outlives each: owner, when it was
# last used, in seconds since the kernel started, and the call that used it. A reboot ends it: what it protected is over.
# POSIX; sourced under dash. Wants RUN.

LOCK=$RUN/lock
LOCK_SECONDS=600

lock_owner() { sed -n 's/^owner //p' "$LOCK" 2>/dev/null; }

# A call may last longer than the lock does: whatever is still writing holds it.
lock_in_use() {
  pid=$(sed -n 's/^call //p' "$LOCK")
  [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"${HANGAR_PROC:-/proc}/$pid/cmdline" | grep -q 'hangar/agent write '
}

lock_age() { if lock_in_use; then echo 0; else echo $(($(uptime_seconds) - $(sed -n 's/^used //p' "$LOCK"))); fi; }

# lock_take OWNER: takes or renews it; somebody else's only when it was left.
lock_take() {
  is_word "${1:-}" || fail usage "not an owner's name: '${1:-}'" 'user@machine:project, without spaces'
  lock_guard
  lock_refuse_others "$1"
  printf 'owner %s\nused %s\ncall %s\n' "$1" "$(uptime_seconds)" $$ >"$LOCK.new" && mv "$LOCK.new" "$LOCK"
  exec 7>&-
}

# Nobody takes the lock while this call has it: others wait for its end.
lock_guard() {
  exec 7>"$LOCK.guard"
  flock 7
}

lock_refuse_others() {
  owner=$(lock_owner)
  if [ -n "$owner" ] && [ "$owner" != "$1" ] && [ "$(lock_age)" -lt $LOCK_SECONDS ]; then
    fail busy "$owner is updating this host, last heard of $(lock_age) seconds ago" "wait until it ends; one that was left is taken over after $((LOCK_SECONDS / 60)) minutes"
  fi
}

lock_release() { [ "$(lock_owner)" != "${1:-}" ] || rm -f "$LOCK"; }

lock_json() {
  if [ -e "$LOCK" ]; then jq -cn --arg owner "$(lock_owner)" --argjson age "$(lock_age)" '{owner: $owner, age: $age}'
  else echo null; fi
}
