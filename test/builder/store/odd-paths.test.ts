import { readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { localRunner } from '../../../builder/runners/local.ts'
import { openStore, storeRoot } from '../../../builder/store/directory.ts'
import { toolchainDirectory } from '../../../builder/toolchain/toolchain.ts'
import { programOf } from '../../../flash/vm/program.ts'
import { derivationDigest } from '../../../images/derivation.ts'
import { run } from '../../../lib/subprocess.ts'
import { controlPrograms } from '../../helpers/control-programs.ts'
import { derivation } from '../../helpers/derivation.ts'
import { listReporter } from '../../helpers/reporter.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { storeWithToolchain } from '../../helpers/toolchain.ts'

/** Every printable character of ASCII that is no letter or digit, and may be part of a file name. */
const PUNCTUATION = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).filter((each) =>
  /[^A-Za-z0-9/]/.test(each),
)
const REFUSED = [':', ';', '$']

describe('storeRoot', () => {
  it.each([...PUNCTUATION, '\n', '\t', '\x7f', '\0', '\ufffd'].map((each) => [each]))(
    'accepts or refuses %j in the path by name before anything starts',
    (character) => {
      const env = { HANGAR_STORE: `/cache/a${character}b` }
      const isRefused = REFUSED.includes(character) || !PUNCTUATION.includes(character)
      if (!isRefused) return expect(storeRoot(env)).toBe(env.HANGAR_STORE)
      const message = `cannot use ${JSON.stringify(env.HANGAR_STORE)} as the store: its path contains `
      expect(() => storeRoot(env)).toThrow(message)
      expect(() => storeRoot({ XDG_CACHE_HOME: `/a${character}b` })).toThrow('its path contains ')
    },
  )

  it('is an absolute path for a relative HANGAR_STORE', () => {
    expect(storeRoot({ HANGAR_STORE: 'own/store' })).toBe(resolve('own/store'))
    expect(storeRoot({ HANGAR_STORE: '../store' })).toBe(resolve('../store'))
  })
})

/** Paths as people have them, and one with every accepted character. */
const NAMES = [
  ...['my store', 'a,b', 'a"b', "a'b", 'a\\b', 'a\\054b', '-rf', '100%h', 'Büro–仓库', 'x=y', '*?[x]', '#1', '~'],
  PUNCTUATION.filter((each) => !REFUSED.includes(each)).join(''),
]

describe.each(NAMES.map((name) => [name]))('a store in the directory %j', (name) => {
  it('runs derivations with inputs, outputs and a log', async () => {
    const made = await storeWithToolchain()
    const unpacked = await toolchainDirectory(made.toolchain, made.store, made.fetch, listReporter())
    const store = await openStore(join(await tempDirectory(), name))
    symlinkSync(dirname(unpacked), join(store.root, 'toolchains'))
    const runner = localRunner({ store, fetch: async () => undefined })
    const copy = derivation({
      ...{ name: 'copy', toolchain: made.toolchain, inputs: { 'a/given': { bytes: 'hello' } } },
      command: ['sh', '-c', 'echo copying; cat /in/a/given > /out/copy; : > /etc/writable'],
    })
    const output = (await runner.realise([copy], listReporter())).get(derivationDigest(copy))
    expect(readFileSync(store.path(output?.copy?.digest ?? ('' as never)), 'utf8')).toBe('hello')
    expect(readFileSync(join(store.root, 'logs', `${derivationDigest(copy)}.log`), 'utf8')).toBe('copying\n')
  })

  it('runs unpacked programs', async () => {
    const programs = await controlPrograms()
    const directory = join(await tempDirectory(), name)
    symlinkSync(programs.directory, directory)
    const { file, args, env } = programOf({ ...programs, directory }, 'zstd')
    const { exitCode, output } = await run(file, [...args, '--version'], { env })
    expect(output).toContain('Zstandard')
    expect(exitCode).toBe(0)
  })
})
