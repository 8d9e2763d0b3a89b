import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { adama } from '../../hosts/adama.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { Derivation } from '../../images/derivation.ts'
import { compile } from '../helpers/compile.ts'
import { derivationsByName, LOCK_FILE, lockedImage } from '../helpers/locked-image.ts'
import { PROJECT, storeWithToolchain } from '../helpers/toolchain.ts'
import { comparisonTable } from './comparison-table.ts'
import { type Realised, realiseEach } from './realise-each.ts'
import { realiseEmulated } from './realise-emulated.ts'

const MACHINE = 'machine'
// Most of an hour on a machine that is busy with other things.
const TWO_HOURS = 7_200_000

/** What the programs of a builder take the machine for. */
function machine({ system, toolchain }: Derivation): Derivation {
  const command = ['sh', '-ec', 'uname -m >/out/kernel; node -p process.arch >/out/node']
  return { name: MACHINE, system, toolchain, inputs: {}, command, env: {}, privilege: 'default' }
}

/** What this machine, and not a namespace on it, hands to emulators. */
function handlers(): string {
  const list = 'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc; ls /proc/sys/fs/binfmt_misc'
  return execFileSync('unshare', ['--mount', 'sh', '-ec', list], { encoding: 'utf8' })
}

// On arm64 there is nothing to show: its builds are the native ones.
describe.skipIf(process.arch !== 'x64')('a builder of the architecture that hosts have, emulated', () => {
  let before: string
  let names: string[]
  let native: Realised[]
  let emulated: Realised[]

  beforeAll(async () => {
    before = handlers()
    compile(PROJECT)
    const lock = await readDebianLock(LOCK_FILE)
    const derivations = (builder: Architecture) => {
      const image = [...derivationsByName(lockedImage(adama, lock, builder)).values()]
      const step = image.find(({ name }) => name === 'host') ?? expect.fail('no host layer')
      return [machine(step), ...image]
    }
    names = derivations('amd64').map(({ name }) => name)
    native = await realiseEach(PROJECT, derivations('amd64'))
    emulated = await realiseEmulated(derivations('arm64'))
    process.stdout.write(comparisonTable(native, emulated))
  }, TWO_HOURS)

  const outputsOf = (realised: readonly Realised[]) =>
    Object.fromEntries(realised.filter(({ name }) => name !== MACHINE).map(({ name, output }) => [name, output]))

  it("runs programs that take the machine for an arm64 one, which this machine's own do not", async () => {
    const { store } = await storeWithToolchain()
    const seen = ([first]: readonly Realised[]) =>
      Object.values(first?.output ?? {}).map(({ digest }) => readFileSync(store.path(digest), 'utf8').trim())
    expect(seen(emulated)).toEqual(['aarch64', 'arm64'])
    expect(seen(native)).toEqual(['x86_64', 'x64'])
  })

  it('makes everything that is in an image', () => {
    expect(emulated.map(({ name }) => name)).toEqual(names)
    expect(names).toEqual(
      expect.arrayContaining(['base', 'kernel', 'initramfs', 'native-blocks', 'tryboot-module', 'sbom']),
    )
  })

  it('gives the same bytes as a builder of another architecture', () => {
    expect(outputsOf(emulated)).toEqual(outputsOf(native))
  })

  it('leaves nothing registered on the machine', () => {
    expect(handlers()).toBe(before)
  })
})
