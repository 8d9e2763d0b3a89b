# shellcheck shell=sh
# Allows one controller at a time to update this host. A controller makes many connections, so the lock is a file: its
# owner, its last use in seconds since the kernel started, and the process of that call. A reboot removes the lock.
# POSIX; sourced under dash. Needs RUN.

LOCK=$RUN/lock
LOCK_SECONDS=600

lock_owner() { sed -n 's/^owner //p' "$LOCK" 2>/dev/null; }

# A write may take longer than the lock lasts: the lock counts as used while the call still runs.
lock_in_use() {
  pid=$(sed -n 's/^call //p' "$LOCK")
  [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"${HANGAR_PROC:-/proc}/$pid/cmdline" | grep -q 'hangar/agent write '
}

lock_age() { if lock_in_use; then echo 0; else echo $(($(uptime_seconds) - $(sed -n 's/^used //p' "$LOCK"))); fi; }

# lock_take OWNER: takes or renews the lock. Takes the lock of another owner only after it has expired.
lock_take() {
  is_word "${1:-}" || fail usage "the owner '${1:-}' is not a valid name" 'name the owner as user@machine:project, without spaces'
  lock_guard
  lock_refuse_others "$1"
  printf 'owner %s\nused %s\ncall %s\n' "$1" "$(uptime_seconds)" $$ >"$LOCK.new" && mv "$LOCK.new" "$LOCK"
  exec 7>&-
}

# Other calls that want the lock wait until this call ends.
lock_guard() {
  exec 7>"$LOCK.guard"
  flock 7
}

lock_refuse_others() {
  owner=$(lock_owner)
  if [ -n "$owner" ] && [ "$owner" != "$1" ] && [ "$(lock_age)" -lt $LOCK_SECONDS ]; then
    fail busy "$owner is updating this host; its last call was $(lock_age) seconds ago" "wait until that update ends; an unused lock expires after $((LOCK_SECONDS / 60)) minutes"
  fi
}

lock_release() { [ "$(lock_owner)" != "${1:-}" ] || rm -f "$LOCK"; }

lock_json() {
  if [ -e "$LOCK" ]; then jq -cn --arg owner "$(lock_owner)" --argjson age "$(lock_age)" '{owner: $owner, age: $age}'
  else echo null; fi
}
