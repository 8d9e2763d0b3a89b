# shellcheck shell=sh
# identity OWNER: the host's own keys, new ones before those that it has. What arrives are values without a name: where they
# go is said here alone. The machine's id and whom the host trusts are no part of it.
# POSIX; sourced under dash. Wants RUN, LIB, OWN and IDENTITY.

IDENTITY_DIR=$RUN/identity
MOST_KEY_BYTES=65536

# ssh_key_file INDEX and age_key_file INDEX: the newest is 0. As images/identity/members.ts has them on a disk that is flashed.
ssh_key_file() { if [ "$1" -eq 0 ]; then echo ssh/ssh_host_ed25519_key; else echo "ssh/old/ssh_host_ed25519_key.$1"; fi; }

age_key_file() { if [ "$1" -eq 0 ]; then echo age/key; else echo "age/key.$1"; fi; }

renew_identity() {
  lock_take "${1:-}"
  [ "$(boot_state)" != trial ] || fail busy 'this boot is a trial that is not decided yet' 'wait until it commits or ends: npm run status'
  [ "$(boot_state)" = committed ] || fail state "slot $SLOT runs and is not committed: autoboot.txt boots '$(selector_slot)'" 'reboot the host: the boot repairs autoboot.txt'
  take_keys
  # One that was given up may still be at work when it is called again.
  exec 5>"$RUN/identity.lock"
  flock 5
  lay_out_identity || fail stream 'what arrived holds an SSH host key that cannot be used' "take hosts/$HOST.identity.age from your history (git log), and try again"
  keeps_all_keys || fail identity 'a key that this host has is not among those that arrived: what is encrypted to it could never be read again' 'another copy of the project has made it: git pull, and the same command again'
  if [ "$(key_digests "$OWN/identity")" != "$(key_digests "$IDENTITY_DIR")" ]; then replace_identity; fi
  ok
}

take_keys() {
  head -c $((MOST_KEY_BYTES + 1)) >"$OWN/keys"
  { [ "$(wc -c <"$OWN/keys")" -le $MOST_KEY_BYTES ] && is_keys "$OWN/keys"; } ||
    fail stream 'what arrived are no keys of a form that this host reads, or not whole' 'the same command sends them again; if it stays so, update hangar'
}

is_keys() {
  jq -es '
    def many(f): type == "array" and length >= 1 and length <= 32 and all(.[]; f);
    def like(form): type == "string" and test("\\A" + form + "\\z");
    length == 1 and (.[0] | type == "object" and keys == ["age", "format", "ssh"] and .format == 1
    and (.ssh | many(like("-----BEGIN OPENSSH PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+\n-----END OPENSSH PRIVATE KEY-----\n")))
    and (.age | many(type == "object" and keys == ["identity", "recipient"]
      and (.identity | like("AGE-SECRET-KEY-1[0-9A-Z]+")) and (.recipient | like("age1[0-9a-z]+")))))
  ' "$1" >/dev/null 2>&1
}

# The whole identity as it is to be, beside the one that is in use.
lay_out_identity() {
  cp -a "$IDENTITY_DIR" "$OWN/identity" && rm -rf "$OWN/identity/ssh" "$OWN/identity/age" || return 1
  mkdir -p "$OWN/identity/ssh/old" "$OWN/identity/age" || return 1
  each_key ssh lay_out_ssh_key && each_key age lay_out_age_key || return 1
  rmdir "$OWN/identity/ssh/old" 2>/dev/null
  jq -r '.age[].recipient' "$OWN/keys" >"$OWN/identity/age/recipients" && chmod 644 "$OWN/identity/age/recipients"
}

# each_key KIND COMMAND
each_key() {
  index=0 count=$(jq ".$1 | length" "$OWN/keys")
  while [ $index -lt "$count" ]; do
    "$2" $index || return 1
    index=$((index + 1))
  done
}

# A key that sshd could not show would lock everybody out.
lay_out_ssh_key() {
  file=$OWN/identity/$(ssh_key_file "$1")
  jq -j ".ssh[$1]" "$OWN/keys" >"$file" || return 1
  public=$(ssh-keygen -y -P '' -f "$file" </dev/null 2>/dev/null | cut -d' ' -f 1,2)
  case $public in 'ssh-ed25519 '*) ;; *) return 1 ;; esac
  echo "$public $HOST" >"$file.pub" && chmod 644 "$file.pub"
}

lay_out_age_key() { jq -r ".age[$1].identity" "$OWN/keys" >"$OWN/identity/$(age_key_file "$1")"; }

# key_digests DIRECTORY [FIND'S WORDS…]
key_digests() (
  cd "$1" || exit
  shift
  find ssh age -type f "$@" -exec sha256sum {} + 2>/dev/null | sort
)

# private_digests DIRECTORY: wherever a key lies, it is the same key.
private_digests() { key_digests "$1" ! -name '*.pub' ! -name recipients | cut -d' ' -f1; }

keeps_all_keys() {
  private_digests "$OWN/identity" >"$OWN/kept"
  ! private_digests "$IDENTITY_DIR" | grep -qvxF -f "$OWN/kept"
}

# The disk first: whoever is cut off before what is in use has changed finds the difference again, and does all of it again.
replace_identity() {
  "$LIB/identity" save "$OWN/identity" ||
    fail disk "cannot write the identity to $IDENTITY" 'the disk may be failing: see the kernel log on the host (dmesg); the keys that it had count'
  if cmp -s "$OWN/identity/$(ssh_key_file 0)" "$IDENTITY_DIR/$(ssh_key_file 0)"; then newest=shown; else newest=new; fi
  put_in_use || fail disk "the identity is on the disk, and cannot be put in use in $IDENTITY_DIR" 'it counts from the next start: reboot the host'
  [ $newest = shown ] || show_new_key
}

# Each file in one step, and what sshd shows as the last: whenever it looks, there is a whole key that controllers know.
put_in_use() {
  (cd "$OWN/identity" && find ssh age -type f | sort) | while read -r file; do
    { mkdir -p "$IDENTITY_DIR/${file%/*}" && mv -f "$OWN/identity/$file" "$IDENTITY_DIR/$file"; } || exit 1
  done
}

# sshd looks at its keys again before it takes them; connections that are open go on.
show_new_key() {
  systemctl reload ssh.service >/dev/null 2>&1 || say 'sshd shows its former key until the next start: it could not be told of the new one'
}

own_public_keys() {
  index=0
  while file=$IDENTITY_DIR/$(ssh_key_file $index).pub && [ -r "$file" ]; do
    cut -d' ' -f 1,2 "$file"
    index=$((index + 1))
  done
}

# The public halves, the newest first.
identity_json() {
  jq -cn --arg ssh "$(own_public_keys)" --arg age "$(cat "$IDENTITY_DIR/age/recipients" 2>/dev/null)" \
    '{ssh: ($ssh | split("\n")), age: ($age | split("\n"))}'
}
