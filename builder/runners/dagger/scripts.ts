import { OBJECT_TIME } from '../../store/directory.ts'
import { INPUT_MODES } from '../lay-inputs.ts'

/** Stands for the file in a line that names a directory. */
export const DIRECTORY = '-'

/**
 * Runs its arguments as a command; `$0` is the name of the command. Sends stdout and stderr of the command to stdout.
 * Writes the digests of the files in /out to stderr, so that hangar can verify the transferred files. Uses `b2sum`,
 * because Debian's `sha256sum` needs OpenSSL, which not every toolchain has.
 */
export const RUN = `umask 022
chmod 755 /build
"$@" 2>&1 || exit
cd /out || exit
set -- *
[ ! -e "$1" ] || b2sum -- "$@" >&2
`

/**
 * Fills /in in the same way as the local runner, from lines `FILE PATH` on stdin, and then sets the attributes of the
 * directories, which follow. One command copies all files, because the engine's own operations would add a layer for each
 * file.
 */
export const COPY_INPUTS = `set -eu
umask 022
while read -r file path; do
  if [ "$file" = ${DIRECTORY} ]; then
    chmod ${INPUT_MODES.directory.toString(8)} "/in/$path"
    touch -d @${OBJECT_TIME} "/in/$path"
    continue
  fi
  case $path in */*) mkdir -p "/in/\${path%/*}" ;; esac
  cp "$file" "/in/$path"
  set -- "$@" "/in/$path"
done
chmod ${INPUT_MODES.file.toString(8)} "$@"
touch -d @${OBJECT_TIME} "$@"
`
