import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copyProject, runIn } from '../helpers/project.ts'

let project: ReturnType<typeof copyProject>

beforeAll(async () => {
  project = copyProject()
  await hangar('--help')
})

afterAll(() => project.remove())

function hangar(...args: string[]) {
  return runIn({ cwd: project.directory }, process.execPath, 'cli/hangar.mjs', ...args)
}

function npm(...args: string[]) {
  return runIn({ cwd: project.directory }, 'npm', ...args)
}

/** Puts another text in place of one in Adama's file, runs the command, and puts it back. */
async function withAdama(change: (text: string) => string) {
  const file = join(project.directory, 'hosts/adama.ts')
  const before = readFileSync(file, 'utf8')
  writeFileSync(file, change(before))
  try {
    return await hangar('build', 'adama', '--frozen')
  } finally {
    writeFileSync(file, before)
  }
}

describe('hangar', () => {
  it('without words says what there is and what to type next', async () => {
    const { code, stdout, stderr } = await hangar()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('build [options] <host>')
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('next: npm run build:image adama')
  })

  it('guesses what a mistyped host meant', async () => {
    const { code, stderr } = await hangar('build', 'adma')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "error: no host 'adma'; hosts are: adama\nhint: did you mean 'adama'?\n",
    })
  })

  it('says where to describe a host that is like none', async () => {
    const { stderr } = await hangar('vm', 'galactica')
    expect(stderr).toBe(
      "error: no host 'galactica'; hosts are: adama\nhint: describe it in hosts/galactica.ts, for example from hosts/adama.ts\n",
    )
  })

  it('refuses a file of hosts/ that exports no host, and a path outside of hosts/', async () => {
    const file = join(project.directory, 'hosts/notes.ts')
    writeFileSync(file, 'export const NOTES = []\n')
    expect((await hangar('build', 'notes')).stderr).toContain("hosts/notes.ts exports no host with the name 'notes'")
    rmSync(file)
    expect((await hangar('build', '../main')).stderr).toContain("no host '../main'; hosts are: adama")
  })

  it('guesses what a mistyped verb and a mistyped flag meant', async () => {
    expect((await hangar('bild', 'adama')).stderr).toBe("error: unknown command 'bild'\nhint: did you mean 'build'?\n")
    expect((await hangar('build', 'adama', '--frozn')).stderr).toBe(
      "error: unknown option '--frozn'\nhint: did you mean '--frozen'?\n",
    )
  })

  it('says which runners there are', async () => {
    expect((await hangar('build', 'adama', '--runner', 'docker')).stderr).toBe(
      "error: --runner is 'docker', wanted one of: dagger, local, auto\nhint: --runner=auto takes a Dagger engine where there is one\n",
    )
  })

  it('points at the help of a verb that lacks a word', async () => {
    const { code, stderr } = await hangar('vm')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "error: missing required argument 'host'\nhint: see hangar vm --help\n",
    })
  })

  it('is compiled again when a source has changed, and says what is wrong with it', async () => {
    const file = join(project.directory, 'cli/usage.ts')
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, before.replace("'did you mean", "'perhaps").replace('`did you mean', '`perhaps'))
    expect((await hangar('bild')).stderr).toContain("hint: perhaps 'build'?")
    writeFileSync(file, `${before}\nconst = 1\n`)
    const { code, stderr } = await hangar('bild')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: cannot compile hangar: cli\/usage\.ts:\d+: .*\nhint: npm run types says more\n$/)
    writeFileSync(file, before)
    expect((await hangar('bild')).stderr).toContain("hint: did you mean 'build'?")
  })

  it('asks for its packages where they are not installed', async () => {
    const bare = copyProject()
    rmSync(join(bare.directory, 'node_modules'))
    const { code, stderr } = await runIn({ cwd: bare.directory }, process.execPath, 'cli/hangar.mjs')
    bare.remove()
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: the packages that hangar needs are not installed\nhint: npm ci\n',
    })
  })
})

describe('npm run', () => {
  const swallowed: [string[], string][] = [
    [['build:image', 'adama', '--frozen'], 'npm run build:image adama -- --frozen'],
    [['build:image', '--no-frozen', 'adama'], 'npm run build:image adama -- --no-frozen'],
    [['lock', '--update'], 'npm run lock -- --update'],
    [['vm', 'adama', '--keep'], 'npm run vm adama -- --keep'],
    [['hangar', 'vm', 'adama', '--keep'], 'npm run hangar vm adama -- --keep'],
  ]
  it.each(swallowed)('%j is refused with the command that works', async (given, works) => {
    const { code, stderr } = await npm('run', '-s', ...given)
    expect(code).toBe(1)
    expect(stderr).toContain(`\nhint: ${works}\n`)
  })

  it.each([
    ['--keep', 'build:image', 'build'],
    ['--update', 'build:image', 'build'],
    ['--frozen', 'vm', 'vm'],
  ])('refuses %s for %s, which has no such flag, with the command that works', async (flag, script, verb) => {
    const { code, stderr } = await npm('run', '-s', script, 'adama', flag)
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `error: npm took '${flag}' for itself, and '${verb}' has no such flag\nhint: without it: npm run ${script} adama\n`,
    })
  })

  it('hands flags after -- to the program', async () => {
    const { stderr } = await npm('run', '-s', 'build:image', 'adma', '--', '--frozen')
    expect(stderr).toContain("no host 'adma'")
  })

  it('is what a complaint about the command line points at', async () => {
    expect((await npm('run', '-s', 'vm')).stderr).toContain('hint: see npm run vm -- --help')
  })
})

describe('a host file', () => {
  it('that is no TypeScript is named with the line', async () => {
    const { code, stderr } = await withAdama((text) =>
      text.replace("board: 'raspberry-pi-5',", "board: = 'raspberry-pi-5',"),
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: hosts\/adama\.ts:5: .+\nhint: the line is: board: = 'raspberry-pi-5',\n$/)
  })

  it('with an unknown key is named with the line of the key', async () => {
    const { code, stderr } = await withAdama((text) => text.replace('gateway:', 'gatway:'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: hosts\/adama\.ts:\d+[: ].*\nhint: .*\n$/)
  })

  it('with a wrong value is named with the line of the value', async () => {
    const { stderr } = await withAdama((text) => text.replace("memory: '4 GiB'", "memory: 'lots'"))
    expect(stderr).toMatch(/^error: hosts\/adama\.ts:6 at 'memory': .*\nhint: .*\n$/)
  })

  it('that throws is named with the line, and without a stack', async () => {
    const { code, stderr } = await withAdama((text) => text.replace("name: 'adama'", 'name: missing.name'))
    expect(code).toBe(1)
    expect(stderr).toBe('error: hosts/adama.ts:4: missing is not defined\nhint: npm run types checks all host files\n')
  })

  it('under another name than its own is refused', async () => {
    const { stderr } = await withAdama((text) => text.replace("name: 'adama'", "name: 'starbuck'"))
    expect(stderr).toBe(
      "error: hosts/adama.ts exports no host with the name 'adama'\nhint: it ends in: export const adama = host({ name: 'adama', … })\n",
    )
  })
})
