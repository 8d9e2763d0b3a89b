import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { planLab, plansFor } from '../../cli/build-hosts.ts'
import type { CommandContext } from '../../cli/command.ts'
import { parseHostName } from '../../images/names.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { DEFAULT_FACTS } from '../../overlays/lab-facts.ts'
import { commandContext } from '../helpers/command-context.ts'
import { testHost } from '../helpers/host.ts'
import { tempDirectory } from '../helpers/temp.ts'

const at = (name: string, address: string) => testHost({ name, network: { address, gateway: 'fe80::1' } })

const plan = async (context: CommandContext, ...names: string[]) => {
  const plans = await plansFor(context, names, { outcome: 'nothing happened', hint: 'correct the hosts' })
  return plans.map(({ name }) => name)
}

describe('plansFor', () => {
  it('refuses a host whose address another host file has in another spelling, before anything is built', async () => {
    const context = commandContext({ facts: [at('one', 'fd00::11/64'), at('two', 'FD00::0:0011/64')] })
    for (const name of ['one', 'two'])
      await expect(plan(context, name)).rejects.toThrow(/^'\w+' and '\w+' have the same address: fd00::11$/)
  })

  it('plans a host beside other hosts, each of which is loaded once', async () => {
    const facts = [at('one', 'fd00::11/64'), at('two', 'fd00::12/64')]
    const { hosts } = commandContext({ facts })
    const loaded: string[] = []
    const load = (name: string) => {
      loaded.push(name)
      return hosts.load(name)
    }
    const context = commandContext({ hosts: { ...hosts, load } })
    expect(await plan(context, 'one', 'two')).toEqual(['one', 'two'])
    expect(loaded.sort()).toEqual(['one', 'two'])
  })

  it('refuses a mistake of the lab file for every host, and names the line in hosts/lab.ts', async () => {
    const facts = [at('one', 'fd00::11/64'), at('two', 'fd00::12/64')]
    const project = await tempDirectory()
    mkdirSync(join(project, 'hosts'))
    writeFileSync(join(project, 'hosts/lab.ts'), "defineLab({\n  providers: {\n    mosquitto: 'three',\n  },\n})\n")
    const lab = async () => ({ ...DEFAULT_FACTS, providers: { mosquitto: parseHostName('three') } })
    const { hosts } = commandContext({ facts })
    await expect(plan(commandContext({ project, hosts: { ...hosts, lab } }), 'one')).rejects.toThrow(
      "hosts/lab.ts:3 at 'providers.mosquitto': no host has the name 'three'",
    )
  })

  it('leaves a mistake of other hosts to the builds of these hosts', async () => {
    const facts = [at('one', 'fd00::11/64'), at('two', 'fd00::12/64'), at('three', 'fd00::12/64')]
    const context = commandContext({ facts })
    expect(await plan(context, 'one')).toEqual(['one'])
    await expect(plan(context, 'one', 'two', 'three')).rejects.toThrow(/^2 hosts failed; nothing happened\n {2}two: /)
  })

  it('plans a host beside a host file with an error, which the build of the other host reports', async () => {
    const one = at('one', 'fd00::11/64')
    const load = async (name: string): Promise<Host> => {
      if (name === 'one') return one
      throw new Error('a syntax error')
    }
    const context = commandContext({ hosts: { names: () => ['one', 'two'], load, lab: async () => DEFAULT_FACTS } })
    expect(await plan(context, 'one')).toEqual(['one'])
    expect(context.reporter.warnings).toEqual([
      "the other hosts will not know 'two', because its host file is not valid: a syntax error",
    ])
    await expect(plan(context, 'two')).rejects.toThrow('a syntax error')
  })
})

describe('planLab', () => {
  it('knows the needs of every host, also of the hosts that are not named, and which host files have errors', async () => {
    const [one, two] = [at('one', 'fd00::11/64'), at('two', 'fd00::12/64')]
    const tooSmall = { ...at('small', 'fd00::13/64'), disk: 1 }
    const load = async (name: string): Promise<Host> => {
      const found = [one, two, tooSmall].find((each) => each.name === name)
      if (found !== undefined) return found
      throw new Error('a syntax error')
    }
    const names = ['broken', 'one', 'small', 'two']
    const context = commandContext({ hosts: { names: () => names, load, lab: async () => DEFAULT_FACTS } })
    const { plans, needs } = await planLab(context, ['one'], { outcome: 'nothing happened', hint: 'correct the hosts' })
    expect(plans.map(({ name }) => name)).toEqual(['one'])
    expect(needs.unknown).toEqual(['broken', 'small'])
    const secrets = Object.entries(needs.hosts).map(([host, each]) => [host, each.map(({ name }) => name)])
    expect(secrets).toEqual(
      ['one', 'two'].map((host) => [host, [`certificate-${host}-mosquitto`, `certificate-${host}-mosquitto-health`]]),
    )
  })
})
