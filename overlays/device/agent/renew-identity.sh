# shellcheck shell=sh
# identity OWNER: replaces the host's own keys by the received list, newest first. The list has values only: this script alone
# decides which files they are written to. It changes neither the machine id nor the trusted keys.
# POSIX; sourced under dash. Needs RUN, LIB, OWN and IDENTITY.

IDENTITY_DIR=$RUN/identity
MOST_KEY_BYTES=65536

# ssh_key_file INDEX and age_key_file INDEX: the newest key is 0. images/identity/members.ts uses the same names for a new disk.
ssh_key_file() { if [ "$1" -eq 0 ]; then echo ssh/ssh_host_ed25519_key; else echo "ssh/old/ssh_host_ed25519_key.$1"; fi; }

age_key_file() { if [ "$1" -eq 0 ]; then echo age/key; else echo "age/key.$1"; fi; }

renew_identity() {
  lock_take "${1:-}"
  require_committed
  read_keys
  # A call whose connection broke may still run.
  exec 5>"$RUN/identity.lock"
  flock 5
  write_new_identity || fail stream 'cannot use a received SSH host key' "restore hosts/$HOST.identity.age from git, and run the same command again"
  keeps_all_keys || fail identity 'the received keys lack a key of this host: data encrypted to that key would be lost' 'git pull, because another copy of the project made the key; then run the same command again'
  if [ "$(key_digests "$OWN/identity")" != "$(key_digests "$IDENTITY_DIR")" ]; then replace_identity; fi
  ok
}

read_keys() {
  head -c $((MOST_KEY_BYTES + 1)) >"$OWN/keys"
  { [ "$(wc -c <"$OWN/keys")" -le $MOST_KEY_BYTES ] && is_keys "$OWN/keys"; } ||
    fail stream 'the received keys are incomplete, or this host cannot read their format' 'run the same command again: it sends the keys again; if that does not help, update hangar'
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

# Writes the complete new identity next to the one in use.
write_new_identity() {
  cp -a "$IDENTITY_DIR" "$OWN/identity" && rm -rf "$OWN/identity/ssh" "$OWN/identity/age" || return 1
  mkdir -p "$OWN/identity/ssh/old" "$OWN/identity/age" || return 1
  each_key ssh write_ssh_key && each_key age write_age_key || return 1
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

# With an SSH host key that sshd cannot load, the owner could no longer log in.
write_ssh_key() {
  file=$OWN/identity/$(ssh_key_file "$1")
  jq -j ".ssh[$1]" "$OWN/keys" >"$file" || return 1
  public=$(ssh-keygen -y -P '' -f "$file" </dev/null 2>/dev/null | cut -d' ' -f 1,2)
  case $public in 'ssh-ed25519 '*) ;; *) return 1 ;; esac
  echo "$public $HOST" >"$file.pub" && chmod 644 "$file.pub"
}

write_age_key() { jq -r ".age[$1].identity" "$OWN/keys" >"$OWN/identity/$(age_key_file "$1")"; }

# key_digests DIRECTORY [FIND'S WORDS…]
key_digests() (
  cd "$1" || exit
  shift
  find ssh age -type f "$@" -exec sha256sum {} + 2>/dev/null | sort
)

# private_digests DIRECTORY: digests without file names, because a key moves to another file when a newer one is added.
private_digests() { key_digests "$1" ! -name '*.pub' ! -name recipients | cut -d' ' -f1; }

keeps_all_keys() {
  private_digests "$OWN/identity" >"$OWN/kept"
  ! private_digests "$IDENTITY_DIR" | grep -qvxF -f "$OWN/kept"
}

# Writes the disk first: after an interruption the keys in use still differ, so the next call repeats everything.
replace_identity() {
  "$LIB/identity" save "$OWN/identity" ||
    fail_disk "cannot write the identity to $IDENTITY: the former keys stay in use"
  if cmp -s "$OWN/identity/$(ssh_key_file 0)" "$IDENTITY_DIR/$(ssh_key_file 0)"; then newest=loaded; else newest=new; fi
  install_keys || fail disk "the new identity is on the disk, but cannot be copied to $IDENTITY_DIR" "reboot the host to use it: ssh root@$HOST reboot"
  [ $newest = loaded ] || reload_sshd
}

# Renames each file into place, and the newest SSH key last: sshd always finds a complete key that controllers know.
install_keys() {
  (cd "$OWN/identity" && find ssh age -type f | sort) | while read -r file; do
    { mkdir -p "$IDENTITY_DIR/${file%/*}" && mv -f "$OWN/identity/$file" "$IDENTITY_DIR/$file"; } || exit 1
  done
}

# sshd checks its keys before it loads them, and keeps open connections.
reload_sshd() {
  systemctl reload ssh.service >/dev/null 2>&1 || say 'cannot reload ssh.service: sshd uses its former key until the next boot'
}

own_public_keys() {
  index=0
  while file=$IDENTITY_DIR/$(ssh_key_file $index).pub && [ -r "$file" ]; do
    cut -d' ' -f 1,2 "$file"
    index=$((index + 1))
  done
}

# Prints the public keys, the newest first.
identity_json() {
  jq -cn --arg ssh "$(own_public_keys)" --arg age "$(cat "$IDENTITY_DIR/age/recipients" 2>/dev/null)" \
    '{ssh: ($ssh | split("\n")), age: ($age | split("\n"))}'
}
