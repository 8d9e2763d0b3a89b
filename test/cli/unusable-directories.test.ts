import { appendFileSync, chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { childProgram } from '../helpers/child-program.ts'
import { copyProject, type Ended, runIn } from '../helpers/project.ts'

let project: ReturnType<typeof copyProject>
let temporaryFile: string

/** A session that makes a temporary directory, as connections and virtual machines do. */
const TEMPORARY = `
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withSession } from './cli/session.ts'
await withSession(process.argv[2], async () => void mkdtempSync(join(tmpdir(), 'hangar-vm-')))
`

beforeAll(async () => {
  project = copyProject()
  mkdirSync(join(project.directory, 'program'))
  await runIn({ cwd: project.directory }, process.execPath, 'cli/hangar.mjs', 'generations', 'adama')
  temporaryFile = await childProgram(TEMPORARY, join(project.directory, 'program'))
})

afterAll(() => project.remove())

/** A fault of a directory: what prepares it, as a function or as shell in a mount namespace of its own, and the reason. */
interface Fault {
  readonly name: string
  readonly reason: RegExp
  readonly prepare?: (directory: string) => void
  readonly mounted?: string
}

const replace = (by: (directory: string) => void) => (directory: string) => {
  rmSync(directory, { recursive: true })
  by(directory)
}

const FAULTS: readonly Fault[] = [
  {
    name: 'is a file',
    reason: /not a directory|it exists already/,
    prepare: replace((it) => writeFileSync(it, 'text')),
  },
  { name: 'is a link to itself', reason: /too many symbolic links/, prepare: replace((it) => symlinkSync(it, it)) },
  {
    name: 'is a link to nothing',
    reason: /no such file or directory/,
    prepare: replace((it) => symlinkSync('/not/there', it)),
  },
  { name: 'cannot be entered', reason: /permission denied/, prepare: (it) => chmodSync(it, 0) },
  { name: 'cannot be written', reason: /permission denied/, prepare: (it) => chmodSync(it, 0o555) },
  {
    name: 'is read-only',
    reason: /read-only/,
    mounted: 'mount --bind "$D" "$D"; mount -o remount,bind,ro "$D"',
  },
  {
    name: 'is on a full disk',
    reason: /the disk is full|no space left/,
    // One inode is the root of the file system, so no other file fits.
    mounted: 'mount -t tmpfs -o nr_inodes=1 full "$D"',
  },
]

/** A directory that hangar writes to, and a command that does so. */
interface Written {
  readonly name: string
  /** Relative to the project. */
  readonly directory: string
  readonly env?: (directory: string) => Readonly<Record<string, string>>
  readonly command: readonly string[]
  /** Makes the command write. */
  readonly provoke?: () => void
  /** Faults that keep the command from reading what it needs, or that do not concern it. */
  readonly not?: readonly string[]
}

const NEEDED = ['is a file', 'is a link to itself', 'is a link to nothing', 'cannot be entered', 'is on a full disk']

const WRITTEN: readonly Written[] = [
  { name: 'HANGAR_STORE', directory: 'store', env: (it) => ({ HANGAR_STORE: it }), command: ['gc'] },
  {
    name: 'HANGAR_STORE of store verify',
    directory: 'store',
    env: (it) => ({ HANGAR_STORE: it }),
    command: ['store', 'verify'],
  },
  { name: 'XDG_CACHE_HOME', directory: 'cache', env: (it) => ({ XDG_CACHE_HOME: it }), command: ['gc'] },
  { name: 'HOME', directory: 'home', env: (it) => ({ HOME: it }), command: ['gc'] },
  { name: 'HOME of init', directory: 'home', env: (it) => ({ HOME: it }), command: ['init', 'adama'] },
  { name: 'XDG_CONFIG_HOME', directory: 'config', env: (it) => ({ XDG_CONFIG_HOME: it }), command: ['init', 'adama'] },
  // Without the files in hosts/ hangar cannot be compiled.
  { name: 'hosts/', directory: 'hosts', command: ['init', 'adama'], not: NEEDED },
  // access(2) does not tell that a disk is full. test/builder/outputs has a full disk.
  { name: 'out/', directory: 'out', command: ['build', 'adama', '--offline'], not: ['is on a full disk'] },
  { name: 'out/ of pull', directory: 'out', command: ['pull', 'adama', '--from', 'shelf'], not: ['is on a full disk'] },
  { name: 'out/HOST', directory: 'out/adama', command: ['build', 'adama', '--offline'], not: ['is on a full disk'] },
  {
    ...{ name: 'dist/', directory: 'dist', command: ['generations', 'adama'] },
    // The directories within dist/ are writable.
    not: ['cannot be written'],
    provoke: () => appendFileSync(join(project.directory, 'hosts/adama.ts'), '// changed\n'),
  },
  {
    ...{ name: 'dist/ of a changed program', directory: 'dist', command: ['gc', '--dry-run'] },
    provoke: () => appendFileSync(join(project.directory, 'main.ts'), '// changed\n'),
  },
  { name: 'TMPDIR', directory: 'temporary', env: (it) => ({ TMPDIR: it }), command: [] },
]

/** Root may write everywhere, so the program runs without the capabilities for that. */
const AS_ANY_USER = ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--inh-caps=-all']

async function run(
  { directory, env, command, provoke }: Written,
  { prepare, mounted }: Fault,
): Promise<Ended & { path: string }> {
  const path = join(project.directory, directory)
  const hangar = (words: readonly string[]) =>
    words.length === 0 ? [temporaryFile, project.directory] : [join(project.directory, 'cli/hangar.mjs'), ...words]
  const backup = `${path}.backup`
  const own = { HOME: join(project.directory, 'own'), ...env?.(path) }
  mkdirSync(path, { recursive: true })
  await runIn({ cwd: project.directory }, 'cp', '-a', path, backup)
  try {
    provoke?.()
    prepare?.(path)
    const namespace = ['unshare', '--mount', 'sh', '-ec', `${mounted ?? ':'}; exec "$@"`, 'sh']
    const [program = '', ...args] = [...namespace, ...AS_ANY_USER, process.execPath, ...hangar(command)]
    return { ...(await runIn({ cwd: project.directory, env: { ...own, D: path } }, program, ...args)), path }
  } finally {
    rmSync(path, { recursive: true, force: true })
    await runIn({ cwd: project.directory }, 'mv', backup, path)
  }
}

describe.each(WRITTEN.map((each) => [each.name, each] as const))('%s', (_, written) => {
  it.each(FAULTS.filter(({ name }) => !written.not?.includes(name)).map((fault) => [fault.name, fault] as const))(
    'that %s is named with the reason and what to do',
    async (_, fault) => {
      const { code, stdout, stderr, path } = await run(written, fault)
      expect(stdout + stderr).not.toMatch(/internal error|^ {4}at /m)
      expect(stderr).toContain(path)
      expect(stderr).toMatch(fault.reason)
      expect(stderr).toMatch(/^error: .+\nhint: .+\n$/)
      expect(code).toBe(1)
    },
  )
})
