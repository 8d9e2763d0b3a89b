import { OBJECT_TIME } from '../../store/directory.ts'

/**
 * Runs its arguments as a command, with `$0` as its name. stdout and stderr of the command go to stdout. Digests of the
 * files in /out go to stderr; hangar compares the transferred files with them. It uses `b2sum`, because Debian's
 * `sha256sum` needs OpenSSL, which not every toolchain has.
 */
export const RUN = `umask 022
chmod 755 /build
"$@" 2>&1 || exit
cd /out || exit
set -- *
[ ! -e "$1" ] || b2sum -- "$@" >&2
`

/**
 * Fills /in as the local runner does, from lines `FILE PATH` on stdin. One command copies all files: the engine's own
 * operations would add a layer for each file.
 */
export const COPY_INPUTS = `set -eu
umask 022
while read -r file path; do
  case $path in */*) mkdir -p "/in/\${path%/*}" ;; esac
  cp "$file" "/in/$path"
  set -- "$@" "/in/$path"
done
chmod 444 "$@"
touch -d @${OBJECT_TIME} "$@"
`
