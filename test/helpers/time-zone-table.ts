import { spawnSync } from 'node:child_process'

/** Files of /usr/share/zoneinfo that are no time zones: lists, rules of glibc, and the zone of an unset clock. */
const OTHERS = /^(localtime|posixrules|leapseconds|Factory)$|\./

/** The text of `images/debian/time-zones.ts` for the file of a package tzdata. */
export function timeZoneTable(deb: string): string {
  const shell = (script: string) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', deb], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`cannot read '${deb}': ${stderr}`)
    return stdout
  }
  const names = shell('dpkg-deb --fsys-tarfile "$1" | tar -t')
    .split('\n')
    .flatMap((path) => /^\.\/usr\/share\/zoneinfo\/(.*[^/])$/.exec(path)?.[1] ?? [])
    .filter((name) => !OTHERS.test(name))
    .sort()
  // A line `L TARGET NAME` is a link. The names of tzdata-legacy have lines too.
  const former = shell('dpkg-deb --fsys-tarfile "$1" | tar -xO ./usr/share/zoneinfo/tzdata.zi')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([kind, , name = '']) => kind === 'L' && !names.includes(name))
    .map(([, target, name]) => `${name}=${target}`)
    .sort()
  return `${HEAD}
/** Names of files in /usr/share/zoneinfo. */
export const ZONES = \`
${wrapped(names)}
\`

/** Former name, and the name in {@link ZONES} that has the same time. */
export const FORMER_ZONES = \`
${wrapped(former)}
\`
`
}

const HEAD = `/**
 * The time zones of Debian's package tzdata, and the former names that Debian moved to tzdata-legacy, which images do not
 * have. Generated from the locked package. A test compares both, and \`--update\` of vitest writes this file again.
 */
`

/** Words in lines of at most 120 characters. */
function wrapped(words: readonly string[]): string {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > 120) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.join('\n')
}
