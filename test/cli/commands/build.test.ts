import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type BuildFlags, build } from '../../../cli/commands/build.ts'
import { UserError } from '../../../errors.ts'
import { DEFAULT_FACTS } from '../../../overlays/lab-facts.ts'
import { commandContext } from '../../helpers/command-context.ts'
import { testHost } from '../../helpers/host.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** A project whose host files `adama` and `apollo` are wrong. */
async function bench() {
  const project = await tempDirectory()
  const asked: string[] = []
  const load = async (name: string) => {
    asked.push(name)
    if (name === 'starbuck') return testHost({ name })
    throw new UserError('host', `hosts/${name}.ts:3: no board`, { hint: 'add it' })
  }
  const names = () => ['adama', 'apollo', 'starbuck']
  const lab = async () => DEFAULT_FACTS
  const context = commandContext({ project, hosts: { names, load, lab } })
  const run = (words: readonly string[], flags: BuildFlags = {}) => build.run(context, words, flags)
  return { run, asked, context, written: () => readdirSync(project) }
}

describe('build', () => {
  it('without a host checks every host file, reports every mistake, and builds nothing', async () => {
    const { run, asked, written } = await bench()
    await expect(run([])).rejects.toMatchObject({
      code: 'host',
      message: expect.stringMatching(/^2 hosts failed; hangar built nothing\n.*adama\.ts:3.*\n.*\n.*apollo\.ts:3/),
    })
    expect([asked, written()]).toEqual([['adama', 'apollo', 'starbuck'], []])
  })

  it('builds only the named hosts, and loads each host file once, to compare the addresses', async () => {
    const { run, asked } = await bench()
    await expect(run(['starbuck', 'adama', 'starbuck'])).rejects.toMatchObject({
      message: 'hosts/adama.ts:3: no board',
    })
    expect(asked.sort()).toEqual(['adama', 'apollo', 'starbuck'])
  })

  it.each([
    [[], 'all'],
    [['adama', 'apollo'], '2'],
  ])('refuses --generation for the hosts %j', async (words, count) => {
    const { run, asked } = await bench()
    await expect(run(words, { generation: '3' })).rejects.toMatchObject({
      code: 'usage',
      message: `'--generation' needs exactly one host, not ${count}`,
    })
    expect(asked).toEqual([])
  })

  it('reports a project without hosts', async () => {
    const { context } = await bench()
    const empty = { ...context, hosts: { ...context.hosts, names: () => [] } }
    await expect(build.run(empty, [], {})).rejects.toMatchObject({
      code: 'host',
      hint: expect.stringContaining('hosts/'),
    })
  })
})
