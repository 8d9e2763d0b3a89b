/**
 * The script of the job, for POSIX shells. Each name has a certificate of its own, so that one name that fails does not
 * stop the others.
 */
export const RENEW = `#!/bin/sh
# renew.sh OPTION...: obtains and renews a certificate for each of ACME_NAMES, with these options of lego. It puts each
# certificate with its key into ACME_SERVED, and marks a change with the file ACME_STATE/changed.
set -u
umask 077

state=$ACME_STATE/certificates

# The last line of a PEM file, which a power cut may have cut off.
ends_with() { tail -n 1 "$1" 2>/dev/null | grep -q "^-----END $2-----\\$"; }

is_complete() { ends_with "$state/$1.crt" CERTIFICATE && ends_with "$state/$1.key" '.*PRIVATE KEY'; }

# The key stays, so that an interrupted renewal leaves no certificate with another key.
certificate() {
  name=$1; shift
  if is_complete "$name"; then
    lego --path "$ACME_STATE" "$@" --domains "$name" renew --days 30 --reuse-key --no-random-sleep
  else
    rm -f "$state/$name.crt" "$state/$name.key"
    lego --path "$ACME_STATE" "$@" --domains "$name" run
  fi
}

serve() {
  is_complete "$1" || return 1
  new=$ACME_SERVED/$1.new
  cat "$state/$1.crt" "$state/$1.key" >"$new" || return 1
  if cmp -s "$new" "$ACME_SERVED/$1.pem"; then rm "$new"; return 0; fi
  # caddy reads the file as a member of the group.
  chmod 0640 "$new" && sync && : >"$ACME_STATE/changed" && mv "$new" "$ACME_SERVED/$1.pem"
}

remove_others() {
  for file in "$ACME_SERVED"/*; do
    [ -e "$file" ] || continue
    name=\${file##*/}
    case " $ACME_NAMES " in *" \${name%.pem} "*) continue ;; esac
    rm "$file"
    : >"$ACME_STATE/changed"
  done
}

status=0
for name in $ACME_NAMES; do
  certificate "$name" "$@" || { echo "cannot obtain or renew the certificate for $name" >&2; status=1; }
  serve "$name" || status=1
done
remove_others
exit $status
`
