import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import type { Architecture } from '../../../images/architecture.ts'
import { DPKG_FORCE } from '../../../images/layers/base/configure.ts'
import { EPOCH } from '../../../images/reproducible.ts'
import { writeOutput } from '../listing.ts'
import type { RootOutput } from '../recipe.ts'
import { emulating } from './emulator.ts'
import { writeRepository } from './repository.ts'

// Builds the reference root with mmdebstrap. The target's maintainer scripts run under qemu-user.
// Inputs: /in/debs, /in/accounts. Arguments: builder, target, what to write to /out.
const [builder, target, output] = process.argv.slice(2) as [Architecture, Architecture, RootOutput]
const ROOT = '/build/root'
const REPOSITORY = '/build/repository'

const packages = await writeRepository(REPOSITORY, '/in/debs', readdirSync('/in/debs').sort())
if (builder === target) await bootstrap()
else await emulating(target, bootstrap)
await writeOutput(ROOT, output)

async function bootstrap(): Promise<void> {
  await runMmdebstrap([
    '--mode=root',
    '--variant=essential',
    `--architectures=${target}`,
    '--format=directory',
    '--skip=check/qemu',
    '--aptopt=APT::Sandbox::User "root"',
    '--aptopt=APT::Install-Recommends "false"',
    ...DPKG_FORCE.map((name) => `--dpkgopt=force-${name}`),
    `--include=${packages.join(',')}`,
    // Every package finds its ids in the table, as in the root that hangar builds without emulation.
    '--extract-hook=for name in passwd group shadow gshadow; do cat "/in/accounts/$name" > "$1/etc/$name"; done; chmod 644 "$1/etc/passwd" "$1/etc/group"; chmod 640 "$1/etc/shadow" "$1/etc/gshadow"',
    'trixie',
    ROOT,
    `deb [trusted=yes] copy:${REPOSITORY} ./`,
  ])
}

/**
 * Fails if mmdebstrap skips a mount, because mmdebstrap would continue and the maintainer scripts would produce a different
 * root.
 */
function runMmdebstrap(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('mmdebstrap', args, {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, SOURCE_DATE_EPOCH: String(EPOCH), DEBIAN_FRONTEND: 'noninteractive' },
    })
    const stderr: Buffer[] = []
    child.stderr.on('data', (piece: Buffer) => {
      stderr.push(piece)
      process.stderr.write(piece)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      const skipped = Buffer.concat(stderr)
        .toString()
        .split('\n')
        .filter((line) => /^W: .*skipping/.test(line))
      if (code !== 0) reject(new Error(`mmdebstrap failed with status ${code}`))
      else if (skipped.length > 0) reject(new Error(`mmdebstrap skipped mounts:\n  ${skipped.join('\n  ')}`))
      else resolve()
    })
  })
}
