import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { Derivation } from '../../images/derivation.ts'
import { adama } from '../helpers/adama.ts'
import { compile } from '../helpers/compile.ts'
import { derivationsByName, LOCK_FILE, lockedImage } from '../helpers/locked-image.ts'
import { PROJECT, storeWithToolchain } from '../helpers/toolchain.ts'
import { comparisonTable } from './comparison-table.ts'
import { type Realised, realiseEach } from './realise-each.ts'
import { realiseEmulated } from './realise-emulated.ts'

const MACHINE = 'machine'
// The emulated build takes up to an hour on a busy machine.
const TWO_HOURS = 7_200_000

/** A derivation that writes the architecture that programs in the sandbox see. */
function machine({ system, toolchain }: Derivation): Derivation {
  const command = ['sh', '-ec', 'uname -m >/out/kernel; node -p process.arch >/out/node']
  return { name: MACHINE, system, toolchain, inputs: {}, command, env: {}, privilege: 'default' }
}

/** The binfmt_misc handlers of this machine, outside any user namespace. */
function handlers(): string {
  const list = 'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc; ls /proc/sys/fs/binfmt_misc'
  return execFileSync('unshare', ['--mount', 'sh', '-ec', list], { encoding: 'utf8' })
}

// On an arm64 machine, the native builds are already those of an arm64 builder.
describe.skipIf(process.arch !== 'x64')('an emulated arm64 builder', () => {
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

  it('an emulated arm64 builder runs programs that see an arm64 machine, unlike the native builder', async () => {
    const { store } = await storeWithToolchain()
    const seen = ([first]: readonly Realised[]) =>
      Object.values(first?.output ?? {}).map(({ digest }) => readFileSync(store.path(digest), 'utf8').trim())
    expect(seen(emulated)).toEqual(['aarch64', 'arm64'])
    expect(seen(native)).toEqual(['x86_64', 'x64'])
  })

  it('an emulated arm64 builder builds every derivation of an image', () => {
    expect(emulated.map(({ name }) => name)).toEqual(names)
    expect(names).toEqual(
      expect.arrayContaining(['base', 'kernel', 'initramfs', 'native-blocks', 'tryboot-module', 'sbom']),
    )
  })

  it('an emulated arm64 builder gives the same bytes as the native builder', () => {
    expect(outputsOf(emulated)).toEqual(outputsOf(native))
  })

  it('an emulated arm64 builder leaves no handler registered on the machine', () => {
    expect(handlers()).toBe(before)
  })
})
