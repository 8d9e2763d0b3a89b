import { OBJECT_TIME } from '../../store/directory.ts'

/**
 * Runs the command that follows; its name is `$0`, and what it says goes to standard output, in order. Digests of what
 * it left in /out go to standard error: what arrives is compared with them. `b2sum`, since Debian's `sha256sum` needs
 * OpenSSL, which not every toolchain has.
 */
export const RUN = `umask 022
chmod 755 /build
"$@" 2>&1 || exit
cd /out || exit
set -- *
[ ! -e "$1" ] || b2sum -- "$@" >&2
`

/**
 * Makes /in as the local runner has it, from lines `FILE PATH` on standard input. One command for all of them: the
 * engine's own operations would stack a layer for each.
 */
export const LAY = `set -eu
umask 022
while read -r file path; do
  case $path in */*) mkdir -p "/in/\${path%/*}" ;; esac
  cp "$file" "/in/$path"
  set -- "$@" "/in/$path"
done
chmod 444 "$@"
touch -d @${OBJECT_TIME} "$@"
`
