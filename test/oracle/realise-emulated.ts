import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockedIn } from '../../builder/context.ts'
import { readDebianLock } from '../../builder/sources/debian/source.ts'
import { toolchainDirectory } from '../../builder/toolchain/toolchain.ts'
import type { Derivation } from '../../images/derivation.ts'
import type { ArchitectureSet } from '../../images/package-set.ts'
import { childProgram } from '../helpers/child-program.ts'
import { debianLocks } from '../helpers/debian-locks.ts'
import { emulating } from '../helpers/emulation.ts'
import { listReporter } from '../helpers/reporter.ts'
import { PROJECT, storeWithToolchain } from '../helpers/toolchain.ts'
import type { Realised } from './realise-each.ts'
import { ORACLE, ORACLE_LOCK } from './recipe.ts'

const CHILD = `
import { readFileSync, writeFileSync } from 'node:fs'
import { realiseEach } from './test/oracle/realise-each.ts'
const [, , project, derivations, realised] = process.argv
writeFileSync(realised, JSON.stringify(await realiseEach(project, JSON.parse(readFileSync(derivations, 'utf8')))))
`

/** Runs `realiseEach` in a process that can run arm64 programs. Only the programs in the sandboxes are for arm64. */
export async function realiseEmulated(derivations: readonly Derivation[]): Promise<Realised[]> {
  const directory = await mkdtemp(join(tmpdir(), 'hangar-emulated-'))
  try {
    const program = await childProgram(CHILD, directory)
    const [wanted, realised] = ['derivations.json', 'realised.json'].map((name) => join(directory, name))
    if (wanted === undefined || realised === undefined) throw new Error('unreachable')
    await writeFile(wanted, JSON.stringify(derivations))
    await emulating(await emulatorDirectory(), process.execPath, [program, PROJECT, wanted, realised])
    return JSON.parse(await readFile(realised, 'utf8')) as Realised[]
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** A directory with the unpacked package qemu-user, whose programs are linked statically. */
async function emulatorDirectory(): Promise<string> {
  const { store, fetch, toolchain } = await storeWithToolchain()
  const lock = await readDebianLock(join(PROJECT, ORACLE_LOCK))
  const wanted: ArchitectureSet = { set: ORACLE, architecture: toolchain.architecture }
  const locked = lockedIn(debianLocks(lock), wanted)
  const packages = locked.filter((item) => item.package === 'qemu-user')
  return toolchainDirectory({ ...toolchain, name: 'emulator', packages }, store, fetch, listReporter())
}
