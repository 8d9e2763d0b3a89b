import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import type { Architecture } from '../../architecture.ts'
import { EPOCH } from '../../epoch.ts'
import { DPKG_FORCE } from '../parts/configure.ts'
import { emulating } from '../parts/emulator.ts'
import { leave } from '../parts/listing.ts'
import { writeRepository } from '../parts/repository.ts'
import type { Leaves } from './recipe.ts'

// Makes the root that the foreign root has to equal, the way everybody makes it: mmdebstrap, the target's maintainer
// scripts under qemu-user. Inputs: /in/debs, /in/accounts. Arguments: builder, target, what to leave.
const [builder, target, leaves] = process.argv.slice(2) as [Architecture, Architecture, Leaves]
const ROOT = '/build/root'
const REPOSITORY = '/build/repository'

const packages = await writeRepository(REPOSITORY, '/in/debs', readdirSync('/in/debs').sort())
if (builder === target) await bootstrap()
else await emulating(target, bootstrap)
await leave(ROOT, leaves)

async function bootstrap(): Promise<void> {
  await runRefusingSkips('mmdebstrap', [
    '--mode=root',
    '--variant=essential',
    `--architectures=${target}`,
    '--format=directory',
    '--skip=check/qemu',
    '--aptopt=APT::Sandbox::User "root"',
    '--aptopt=APT::Install-Recommends "false"',
    ...DPKG_FORCE.map((name) => `--dpkgopt=force-${name}`),
    `--include=${packages.join(',')}`,
    // Every package finds its ids in the table, as in the root that is made without emulation.
    '--extract-hook=for name in passwd group shadow gshadow; do cat "/in/accounts/$name" > "$1/etc/$name"; done; chmod 644 "$1/etc/passwd" "$1/etc/group"; chmod 640 "$1/etc/shadow" "$1/etc/gshadow"',
    'trixie',
    ROOT,
    `deb [trusted=yes] copy:${REPOSITORY} ./`,
  ])
}

/** mmdebstrap goes on without what it cannot mount, and then maintainer scripts make a different root. */
function runRefusingSkips(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, SOURCE_DATE_EPOCH: String(EPOCH), DEBIAN_FRONTEND: 'noninteractive' },
    })
    const said: Buffer[] = []
    child.stderr.on('data', (piece: Buffer) => {
      said.push(piece)
      process.stderr.write(piece)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const skipped = Buffer.concat(said)
        .toString()
        .split('\n')
        .filter((line) => /^W: .*skipping/.test(line))
      if (code !== 0) reject(new Error(`${program} failed with status ${code}`))
      else if (skipped.length > 0) reject(new Error(`${program} skipped mounts:\n  ${skipped.join('\n  ')}`))
      else resolve()
    })
  })
}
