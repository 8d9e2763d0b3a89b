import { describe, expect, it } from 'vitest'
import { plainProgress } from '../../../../builder/runners/dagger/progress.ts'

const [FIRST, OTHER] = ['feb1ddae'.repeat(8), '1c60bd36'.repeat(8)]

/** Shortened output of the CLI of Dagger 0.21.8 for two commands. */
const PRINTED = `Creating new Engine session... OK!
Establishing connection to Engine... OK!
1   : dagger session --label dagger.io/sdk.name:nodejs --label dagger.io/sdk.version:0.1.0
4   : ┆ ┆ [0.0s] | 08:34:42 INF connected name=vm client-version=v0.21.8 server-version=v0.21.8
14  : ┆ Container.import(
14  : ┆ ┆ source: Host.file(path: "/store/objects/39/39b65e09094e6af9b34c7ed1f55aba7bf42b215fac64c8c8e6553abed639f43d"): File!
14  : ┆ ): Container!
20  : ┆ withExec sh -c 'umask 022\\n"$@" 2>&1 || exit\\n' ${FIRST} env -i TZ=UTC bash -ec 'echo 12  : [0.1s] |' (stdin: "")
20  : ┆ [0.1s] | first line 1
20  : ┆ [0.1s] | [2.0s] | of its own
20  : ┆ [0.1s] |
22  : ┆ Container.directory DONE [0.0s]

33  : withExec sh -c 'set -eu\\ncp "$file" "/in/$path"\\n' 'inputs of first' (stdin: "/objects/f1/f175a3 big\\n")
33  : [0.1s] | cp: skipped
40  : withExec sh -c 'umask 022\\n"$@" 2>&1 || exit\\n' ${OTHER} env -i TZ=UTC bash -ec 'true' (stdin: "")
40  : Container.withExec DONE [0.2s]
40  : [1m2s] | other line 1

1   : dagger session --label dagger.io/sdk.name:nodejs --label dagger.io/sdk.version:0.1.0
20  : ┆ withExec sh -c 'umask 022\\n"$@" 2>&1 || exit\\n' ${FIRST} env -i TZ=UTC bash -ec 'true' (stdin: "")
20  : ┆ [1h0m3s] | first line 2
20  : ┆ Container.withExec ERROR [5.4s]
20  : ┆ ! exit code: 3
`
const SAID = [
  { name: FIRST, line: 'first line 1' },
  { name: FIRST, line: '[2.0s] | of its own' },
  { name: FIRST, line: '' },
  { name: OTHER, line: 'other line 1' },
  { name: FIRST, line: 'first line 2' },
]

const read = (pieces: readonly string[], names = [FIRST, OTHER]) => {
  const hear = plainProgress(new Set(names))
  return pieces.flatMap(hear)
}

describe('plainProgress', () => {
  it('assigns each line to its command', () => {
    expect(read([PRINTED])).toEqual(SAID)
  })

  it('accepts output in pieces of any size', () => {
    expect(read([...PRINTED])).toEqual(SAID)
    expect(read(PRINTED.split(/(?<=\| f)/))).toEqual(SAID)
  })

  it('ignores colours', () => {
    const coloured = PRINTED.replace(/^\d+ *: /gm, '\x1b[95m$&\x1b[0m').replace(/\|/g, '\x1b[90m|\x1b[0m')
    expect(read([coloured])).toEqual(SAID)
  })

  it('accepts a call with one argument on each line', () => {
    const call = `7   : Container.withExec(\n7   : ┆ args: ["sh", "-c", "…", "${FIRST}", "env"]\n7   : ): Container!\n`
    expect(read([`${call}7   : [0.0s] | line\n`])).toEqual([{ name: FIRST, line: 'line' }])
  })

  it('skips other commands and unknown formats', () => {
    expect(read([PRINTED], [])).toEqual([])
    expect(read([JSON.stringify({ name: FIRST, line: 'line' }), '\n\n: |\n9: [x] | y\n', '\0\xff'])).toEqual([])
  })
})
