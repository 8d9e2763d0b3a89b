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

/** Builds adama with a changed host file, and restores the file. */
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
  it('prints the help and the next command when it has no arguments', async () => {
    const { code, stdout, stderr } = await hangar()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('\n  build [hosts...] ')
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('next: npm run build:image adama')
  })

  it('prints the help of a command, and of the parent of commands', async () => {
    const help = await hangar('vm', '--help')
    expect({ ...help, stdout: help.stdout.split('\n').slice(0, 3) }).toEqual({
      ...{ code: 0, stderr: '' },
      stdout: ['Boot the built images of hosts in virtual machines.', '', 'Usage: hangar vm <hosts...> [options]'],
    })
    expect((await hangar('help', 'vm')).stdout).toBe(help.stdout)
    expect((await hangar('store', '--help')).stdout).toContain('\n  store verify  ')
    expect((await hangar('store')).stderr).toBe("error: missing command after 'store'\nhint: see hangar store --help\n")
  })

  it('suggests the host with the nearest name', async () => {
    const { code, stderr } = await hangar('build', 'adma')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "error: no host 'adma'; hosts are: adama, starbuck\nhint: did you mean 'adama'?\n",
    })
  })

  it('explains how to add an unknown host', async () => {
    const { stderr } = await hangar('vm', 'galactica')
    expect(stderr).toBe(
      "error: no host 'galactica'; hosts are: adama, starbuck\nhint: to add the host, copy hosts/adama.ts to hosts/galactica.ts and change the copy\n",
    )
  })

  it('refuses a file of hosts/ that exports no host, and a path outside of hosts/', async () => {
    const file = join(project.directory, 'hosts/notes.ts')
    writeFileSync(file, 'export const NOTES = []\n')
    expect((await hangar('build', 'notes')).stderr).toContain("hosts/notes.ts exports no host with the name 'notes'")
    rmSync(file)
    expect((await hangar('build', '../main')).stderr).toContain("no host '../main'; hosts are: adama, starbuck")
  })

  it('suggests the command and the flag with the nearest name', async () => {
    expect((await hangar('bild', 'adama')).stderr).toBe("error: unknown command 'bild'\nhint: did you mean 'build'?\n")
    expect((await hangar('build', 'adama', '--frozn')).stderr).toBe(
      "error: unknown option '--frozn'\nhint: did you mean '--frozen'?\n",
    )
  })

  it('lists the runners after an unknown one', async () => {
    expect((await hangar('build', 'adama', '--runner', 'docker')).stderr).toBe(
      "error: --runner is 'docker', wanted one of: dagger, local, auto\nhint: --runner=auto uses a Dagger engine when there is one\n",
    )
  })

  it('names the help of a command when an argument is missing', async () => {
    const { code, stderr } = await hangar('vm')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "error: missing required argument 'hosts'\nhint: see hangar vm --help\n",
    })
  })

  it('refuses to boot a host twice, before it unpacks programs', async () => {
    expect((await hangar('vm', 'adama', 'adama')).stderr).toBe(
      "error: cannot boot 'adama' twice: only one machine can have its addresses\nhint: name each host once: npm run vm adama\n",
    )
  })

  it('compiles again when a source has changed, and prints compile errors', async () => {
    const file = join(project.directory, 'cli/usage.ts')
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, before.replace("'did you mean", "'perhaps").replace('`did you mean', '`perhaps'))
    expect((await hangar('bild')).stderr).toContain("hint: perhaps 'build'?")
    writeFileSync(file, `${before}\nconst = 1\n`)
    const { code, stderr } = await hangar('bild')
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^error: cannot compile hangar: cli\/usage\.ts:\d+: .*\nhint: check the types: npm run types\n$/,
    )
    writeFileSync(file, before)
    expect((await hangar('bild')).stderr).toContain("hint: did you mean 'build'?")
  })

  it('suggests npm ci if npm packages are missing', async () => {
    const bare = copyProject()
    rmSync(join(bare.directory, 'node_modules'))
    const { code, stderr } = await runIn({ cwd: bare.directory }, process.execPath, 'cli/hangar.mjs')
    bare.remove()
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'error: npm packages are missing\nhint: npm ci\n',
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
  it.each(swallowed)('refuses %j, and prints the command line that works', async (given, works) => {
    const { code, stderr } = await npm('run', '-s', ...given)
    expect(code).toBe(1)
    expect(stderr).toContain(`\nhint: ${works}\n`)
  })

  it.each([
    ['--keep', 'build:image', 'build'],
    ['--update', 'build:image', 'build'],
    ['--frozen', 'vm', 'vm'],
  ])(
    'refuses %s for %s, which has no such flag, and prints the command line without it',
    async (flag, script, command) => {
      const { code, stderr } = await npm('run', '-s', script, 'adama', flag)
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `error: npm took '${flag}' as its own option, and '${command}' has no such flag\nhint: leave the flag out: npm run ${script} adama\n`,
      })
    },
  )

  it('passes flags after -- to hangar', async () => {
    const { stderr } = await npm('run', '-s', 'build:image', 'adma', '--', '--frozen')
    expect(stderr).toContain("no host 'adma'")
  })

  it('the hint of a usage error shows the npm run command', async () => {
    expect((await npm('run', '-s', 'vm')).stderr).toContain('hint: see npm run vm -- --help')
  })
})

describe('a host file', () => {
  it('names the line of a syntax error in a host file', async () => {
    const { code, stderr } = await withAdama((text) =>
      text.replace("board: 'raspberry-pi-5',", "board: = 'raspberry-pi-5',"),
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: hosts\/adama\.ts:5: .+\nhint: the line reads: board: = 'raspberry-pi-5',\n$/)
  })

  it('names the line of an unknown key in a host file', async () => {
    const { code, stderr } = await withAdama((text) => text.replace('timezone:', 'timezon:'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: hosts\/adama\.ts:\d+[: ].*\nhint: .*\n$/)
  })

  it('names the line of a wrong value in a host file', async () => {
    const { stderr } = await withAdama((text) => text.replace("memory: '4 GiB'", "memory: 'lots'"))
    expect(stderr).toMatch(/^error: hosts\/adama\.ts:6 at 'memory': .*\nhint: .*\n$/)
  })

  it('names the line of a host file that throws, without a stack', async () => {
    const { code, stderr } = await withAdama((text) => text.replace("name: 'adama'", 'name: missing.name'))
    expect(code).toBe(1)
    expect(stderr).toBe('error: hosts/adama.ts:4: missing is not defined\nhint: check all host files: npm run types\n')
  })

  it('checks the whole lab, and names the line of a mistake in the lab file', async () => {
    const { code, stdout } = await npm('run', '--silent', 'check')
    expect({ code, last: stdout.trimEnd().split('\n').at(-1) }).toEqual({ code: 0, last: 'the lab has no mistakes' })
    const file = join(project.directory, 'hosts/lab.ts')
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, before.replace("prometheus: 'adama'", "mosquitto: 'starbuck'"))
    const mistaken = await npm('run', '--silent', 'check').finally(() => writeFileSync(file, before))
    expect(mistaken.code).toBe(1)
    expect(mistaken.stderr).toMatch(
      /hosts\/lab\.ts:\d+ at 'providers\.mosquitto': 'starbuck' does not run 'mosquitto'\n +hint: hosts that run 'mosquitto': adama\n/,
    )
    expect(mistaken.stderr).toContain("hosts/lab.ts names 'starbuck' for it, which does not run it")
  })

  it('refuses a host file that exports another name', async () => {
    const { stderr } = await withAdama((text) => text.replace("name: 'adama'", "name: 'starbuck'"))
    expect(stderr).toBe(
      "error: hosts/adama.ts exports no host with the name 'adama'\nhint: end the file with: export const adama = host({ name: 'adama', … })\n",
    )
  })
})
