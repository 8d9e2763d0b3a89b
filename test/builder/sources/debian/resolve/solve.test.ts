import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Runner } from '../../../../../builder/runners/runner.ts'
import { runSandboxed } from '../../../../../builder/runners/sandbox.ts'
import type { Question } from '../../../../../builder/sources/debian/resolve/solve.ts'
import { noSolution, solve } from '../../../../../builder/sources/debian/resolve/solve.ts'
import { openStore } from '../../../../../builder/store/directory.ts'
import type { Store } from '../../../../../builder/store/store.ts'
import { type Derivation, derivationDigest } from '../../../../../images/derivation.ts'
import type { PackageSet } from '../../../../../images/package-set.ts'
import { smallCatalogue } from '../../../../helpers/catalogue.ts'
import { fakeApt } from '../../../../helpers/fake-apt.ts'
import { listReporter } from '../../../../helpers/reporter.ts'
import type { TestPackage } from '../../../../helpers/small-archive.ts'
import { tempDirectory } from '../../../../helpers/temp.ts'

const HOST_HAS_APT = existsSync('/usr/bin/apt-get')
const PACKAGES: TestPackage[] = [
  {
    name: 'server',
    version: '1:2.0+dfsg-1',
    fields: { Depends: 'libserver (= 1:2.0+dfsg-1), debconf | debconf-2.0, any-mail', Recommends: 'docs' },
  },
  { name: 'libserver', version: '1:2.0+dfsg-1', fields: { Depends: 'libc6 (>= 2.41)' } },
  { name: 'libc6', version: '2.41-12' },
  { name: 'libc6', version: '2.41-13', suite: 'trixie-security' },
  { name: 'libc6', version: '2.42-1~bpo13+1', suite: 'trixie-backports' },
  { name: 'debconf', architecture: 'all', fields: { Provides: 'debconf-2.0', Depends: 'perl' } },
  { name: 'perl', fields: { Essential: 'yes' } },
  { name: 'docs' },
  { name: 'exim', fields: { Provides: 'any-mail' } },
  { name: 'kernel', version: '6.12' },
  { name: 'kernel', version: '7.3', suite: 'trixie-backports', fields: { Depends: 'modules (= 7.3)' } },
  { name: 'modules', version: '7.3', suite: 'trixie-backports' },
  { name: 'left', fields: { Conflicts: 'right' } },
  { name: 'right' },
]
const CATALOGUE = smallCatalogue(PACKAGES)

function question(set: Partial<PackageSet>, pins: Record<string, string> = {}): Question {
  const whole: PackageSet = {
    name: 'container/server',
    request: ['server'],
    essential: 'left-out',
    assumed: [],
    ...set,
  }
  return { set: whole, catalogue: CATALOGUE, pins: new Map(Object.entries(pins)) }
}

async function ask(questions: readonly Question[], makeRunner: (store: Store) => Runner) {
  const store = await openStore(await tempDirectory())
  const toolchain = { name: 'toolchain', architecture: 'amd64', packages: [] } as const
  const answers = await solve(questions, { store, toolchain, runner: makeRunner(store), reporter: listReporter() })
  return answers.map((answer) =>
    'problem' in answer ? answer.problem : answer.packages.map((item) => `${item.package} ${item.version}`).sort(),
  )
}

/** Runs a derivation with the programs of this machine. */
function hostRunner(store: Store): Runner {
  const realise = (derivation: Derivation) =>
    store.scratch('host', async (scratch) => {
      const place = { inputs: join(scratch, 'in'), output: join(scratch, 'out'), work: join(scratch, 'work') }
      for (const directory of Object.values(place)) await mkdir(directory)
      for (const [path, input] of Object.entries(derivation.inputs)) {
        await mkdir(dirname(join(place.inputs, path)), { recursive: true })
        await writeFile(join(place.inputs, path), 'bytes' in input ? input.bytes : expect.fail(`input '${path}'`))
      }
      const log = join(scratch, 'log')
      const { command, env, privilege } = derivation
      const { exitCode } = await runSandboxed({ ...place, toolchain: '/', command, env, privilege, log })
      expect([exitCode, exitCode === 0 ? '' : await readFile(log, 'utf8')]).toEqual([0, ''])
      const files = ['uris', 'problem'].map(async (name) => {
        const bytes = await readFile(join(place.output, name))
        return [name, { digest: await store.putBytes(bytes), size: bytes.length }] as const
      })
      return [derivationDigest(derivation), Object.fromEntries(await Promise.all(files))] as const
    })
  return { realise: async (wanted) => new Map(await Promise.all(wanted.map(realise))) }
}

describe.each([
  ['a fake apt', fakeApt, true],
  ["this machine's apt", hostRunner, HOST_HAS_APT],
] as const)('a solution by %s', (_, runner, present) => {
  it.skipIf(!present)(
    'contains the packages of a set: security before release, no backports, no recommendations',
    async () => {
      expect(await ask([question({})], runner)).toEqual([
        ['debconf 1.0-1', 'exim 1.0-1', 'libc6 2.41-13', 'libserver 1:2.0+dfsg-1', 'perl 1.0-1', 'server 1:2.0+dfsg-1'],
      ])
    },
  )

  it.skipIf(!present)('never assumes a requested package, nor an assumed package that it depends on', async () => {
    const set = { request: ['server', 'debconf'], assumed: ['debconf', 'perl', 'exim', 'docs'] }
    expect(await ask([question(set)], runner)).toEqual([
      ['debconf 1.0-1', 'libc6 2.41-13', 'libserver 1:2.0+dfsg-1', 'perl 1.0-1', 'server 1:2.0+dfsg-1'],
    ])
  })

  it.skipIf(!present)('treats assumed packages as installed', async () => {
    expect(await ask([question({ assumed: ['debconf', 'exim'] })], runner)).toEqual([
      ['libc6 2.41-13', 'libserver 1:2.0+dfsg-1', 'server 1:2.0+dfsg-1'],
    ])
  })

  it.skipIf(!present)('includes essential packages if the set requests them', async () => {
    const set = { request: ['libc6'], essential: 'included' } as const
    expect(await ask([question(set)], runner)).toEqual([['libc6 2.41-13', 'perl 1.0-1']])
  })

  it.skipIf(!present)('takes only the requested packages from backports', async () => {
    const asked = [question({ request: ['kernel/trixie-backports'] }), question({ request: ['kernel'] })]
    expect(await ask(asked, runner)).toEqual([['kernel 7.3', 'modules 7.3'], ['kernel 6.12']])
  })

  it.skipIf(!present)('keeps a pinned version', async () => {
    expect(await ask([question({ request: ['libc6'] }, { libc6: '2.41-12' })], runner)).toEqual([['libc6 2.41-12']])
  })
})

describe('the question to apt', () => {
  it.skipIf(!HOST_HAS_APT)("apt's message answers a question without a solution", async () => {
    const [problem] = await ask([question({ request: ['left', 'right'] })], hostRunner)
    expect(problem).toMatch(/^E: /m)
  })

  it('packages that the set cannot reach do not change the question to apt', async () => {
    const changed = smallCatalogue([...PACKAGES, { name: 'unrelated', fields: { Depends: 'server' } }])
    const ran: unknown[] = []
    const recording = (store: Store): Runner => ({
      async realise(wanted, reporter) {
        ran.push(...wanted.map(derivationDigest))
        return fakeApt(store).realise(wanted, reporter)
      },
    })
    await ask([question({}), { ...question({}), catalogue: changed }, question({ request: ['libc6'] })], recording)
    expect(ran[1]).toBe(ran[0])
    expect(ran[2]).not.toBe(ran[0])
  })

  it("a question without a solution throws an error with the set and apt's message", () => {
    const error = noSolution(question({}), 'W: a warning\nE: left conflicts with right\n')
    expect(error.message).toBe(
      "package set 'container/server' cannot be installed on arm64:\n  E: left conflicts with right",
    )
    expect(error.hint).toContain('PACKAGE/SUITE')
  })
})
