import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ACCOUNTS } from '../../../images/ids.ts'
import type { Use } from '../../../overlays/container.ts'
import { emergencyRuleset } from '../../../overlays/firewall/emergency.ts'
import { firewallHost, neighbour, port, rulesOf, type SmallService } from '../../helpers/firewall-host.ts'
import { hostPrograms } from '../../helpers/host-programs.ts'
import { withoutNamespaces } from '../../helpers/network/machines.ts'
import { tempDirectory } from '../../helpers/temp.ts'
import { type Random, randomFrom, sample } from '../../power-cut/random.ts'

const HOSTS = 60
const USERS = ACCOUNTS.filter(({ kind, name }) => kind === 'user' && !name.startsWith('systemd-')).map(
  ({ name }) => name,
)

const numberBelow = (limit: number, random: Random) => Math.floor(random() * limit)
const oneOf = <Item>(items: readonly Item[], random: Random) => items[numberBelow(items.length, random)] as Item
const some = <Item>(most: number, random: Random, item: (index: number) => Item) =>
  Array.from({ length: numberBelow(most + 1, random) }, (_, index) => item(index))

/** A host with random services, which use each other, services of random other hosts, machines and the internet. */
function randomHost(random: Random) {
  const family = oneOf([[4], [6], [4, 6]] as const, random)
  const both = <Item>(ipv4: Item, ipv6: Item) => family.map((each) => (each === 4 ? ipv4 : ipv6))
  const network = {
    address: both('192.0.2.10/24', '2001:db8::10/64'),
    gateway: both('192.0.2.1', 'fe80::1'),
    dns: [...both('192.0.2.1', 'fe80::1'), ...some(1, random, () => both('198.51.100.7', '2001:db8::53')[0] ?? '')],
  }
  const ports = (base: number) =>
    some(4, random, (index) => port(base + index, oneOf(['lab', 'host'], random), oneOf(['tcp', 'udp'], random)))
  const others = some(3, random, (index) => ({ name: `other-${index}`, offered: ports(7000 + 10 * index) }))
  const small = sample(USERS, numberBelow(USERS.length + 1, random), random).map((user, index) => ({
    ...{ name: `service-${index}`, user },
    ports: ports(8000 + 10 * index),
  }))
  const targets = [
    { service: 'host', port: 9100 },
    ...small.flatMap(({ name, ports: own }) => own.map(({ number }) => ({ service: name, port: number }))),
    ...others.flatMap(({ name, offered }) => offered.map(({ number }) => ({ service: `store-${name}`, port: number }))),
  ]
  const use = (): Use =>
    oneOf<() => Use>(
      [
        () => oneOf(targets, random),
        () => ({
          internet: [
            ['tcp', 1 + numberBelow(65535, random)],
            ['udp', 53],
          ],
        }),
        () => ({ machine: '192.0.2.77', ports: [['tcp', 6638]] }) as unknown as Use,
        () => ({ device: '/dev/null', missing: 'start' }),
      ],
      random,
    )()
  const services: SmallService[] = small.map((each) => ({ ...each, uses: some(5, random, use) }))
  const lab = others.map(({ name, offered }, index) =>
    neighbour(name, both(`192.0.2.${20 + index}`, `2001:db8::${20 + index}`), {
      offers: [{ name: `store-${name}`, ports: offered }],
      uses: some(3, random, () => oneOf(targets, random)),
    }),
  )
  return { ...firewallHost({ network }, services, lab), small: services }
}

const why = await withoutNamespaces()
if (why !== undefined) it(`SKIPPED, no ruleset was loaded: ${why}`, ({ skip }) => skip(why))

describe.skipIf(why !== undefined)('nft', () => {
  it('accepts the rules of any host, and the emergency rules', async () => {
    const { nft } = await hostPrograms()
    const directory = await tempDirectory()
    mkdirSync(join(directory, 'rules'))
    for (let place = 0; place < HOSTS; place++)
      writeFileSync(join(directory, 'rules', `${place}.nft`), rulesOf(randomHost(randomFrom(1, place))))
    writeFileSync(join(directory, 'rules/emergency.nft'), emergencyRuleset())
    const check = (path: string) =>
      execFileSync(
        'unshare',
        ['--net', 'sh', '-c', `for file in ${path}; do ${nft} -c -f "$file" 2>&1 || echo "$file"; done`],
        {
          encoding: 'utf8',
        },
      )
    expect(check(`'${directory}'/rules/*.nft`)).toBe('')
    // Negative control: the check sees an error.
    writeFileSync(
      join(directory, 'wrong.nft'),
      rulesOf(randomHost(randomFrom(1, 0))).replace('goto refuse', 'goto nowhere'),
    )
    expect(check(`'${directory}/wrong.nft'`)).toContain('nowhere')
  })
})

describe('the rules of any host', () => {
  it.each(Array.from({ length: HOSTS }, (_, place) => place))(
    'admit ssh, and name every user of a container: %d',
    (place) => {
      const { small, ...rendered } = randomHost(randomFrom(1, place))
      const lines = rulesOf(rendered)
        .split('\n')
        .map((line) => line.trim())
      const ssh = lines.indexOf('tcp dport 22 accept comment "ssh"')
      const before = lines.slice(lines.indexOf('chain input {'), ssh)
      expect(before.filter((line) => /drop|reject|goto/.test(line))).toEqual([
        'type filter hook input priority filter; policy drop;',
        'ct state invalid drop',
      ])
      const verdicts = lines.find((line) => line.startsWith('meta skuid vmap')) ?? ''
      for (const { name, user } of small) {
        expect(verdicts).toContain(` : goto out.${name}.${user}`)
        const own = lines.slice(lines.indexOf(`chain out.${name}.${user} {`) + 1)
        expect(own.slice(0, own.indexOf('}')).at(-1)).toBe(`counter name out.${name}.${user} goto refuse`)
      }
    },
  )
})
