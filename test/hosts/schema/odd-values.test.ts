import { isIPv6, SocketAddress } from 'node:net'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../errors.ts'
import { piSchema } from '../../../hosts/platforms/pi/schema.ts'
import { type HostFile, host } from '../../../hosts/schema/host.ts'
import { hostInLab } from '../../../hosts/schema/plan.ts'
import type { FileTree } from '../../../images/tree.ts'
import { renderServices } from '../../../overlays/host-services.ts'
import { hostTree } from '../../../overlays/host-tree.ts'
import { DEFAULT_FACTS } from '../../../overlays/lab-facts.ts'
import { ANY_CERTIFICATES } from '../../helpers/any-certificates.ts'
import { ANY_SECRETS } from '../../helpers/any-secrets.ts'
import { deviceTexts } from '../../helpers/device-texts.ts'
import { linesAt, textAt } from '../../helpers/file-tree.ts'
import { oddString, oddStrings } from '../../helpers/odd-strings.ts'
import { publicLine } from '../../helpers/public-line.ts'
import { type FieldPath, stringFields, withValue } from '../../helpers/schema-fields.ts'
import { randomFrom } from '../../power-cut/random.ts'

/** A host file with a valid value for every string. */
const FILE: HostFile = {
  name: 'tiny',
  board: 'raspberry-pi-5',
  memory: '8 GiB',
  disk: '64 GB',
  slotSize: '8 GiB',
  timezone: 'Europe/Zurich',
  network: {
    address: '192.0.2.10/24',
    gateway: '192.0.2.1',
    dns: '192.0.2.2',
    domain: 'lab',
    jump: 'me@bastion:2222',
  },
  ssh: { keys: [publicLine(1, 'login')] },
  updates: { signingKeys: [publicLine(2, 'signs')] },
  services: {
    alertmanager: { memory: '64 MiB', disk: '300 MiB', webhook: 'http://ntfy.lab/alerts' },
    caddy: {
      memory: { caddy: '64 MiB', acme: '96 MiB' },
      disk: { acme: '303 MiB', certificates: '304 MiB' },
      external: {
        names: { 'home.example.org': 'prometheus' },
        email: 'owner@example.org',
        provider: 'cloudflare',
        settings: { A_SETTING: 'a value' },
        credentials: ['A_TOKEN'],
        directory: 'https://acme.example.org/directory',
        resolvers: ['9.9.9.9'],
      },
    },
    mosquitto: { memory: '64 MiB', disk: '301 MiB', clients: { any: { publish: ['a/b'], subscribe: ['c/#'] } } },
    'node-red': { memory: '64 MiB', disk: '305 MiB', publish: ['d/e'], subscribe: ['f/#'] },
    prometheus: { memory: '256 MiB', disk: '302 MiB' },
    zigbee2mqtt: { memory: '64 MiB', disk: '306 MiB', adapter: '/dev/serial/by-id/usb-stick', type: 'ember' },
  },
}

/** The same host with IPv6. */
const IPV6_FILE: HostFile = {
  ...FILE,
  network: { ...FILE.network, address: 'fd00::10/64', gateway: 'fe80::1', dns: 'fd00::2' },
}

const deviceFiles = deviceTexts()

function treeOf(file: unknown): FileTree {
  const parsed = hostInLab(host(file as HostFile), DEFAULT_FACTS)
  return hostTree(parsed, renderServices(parsed), {
    deviceFiles,
    sshKeys: [],
    signingKeys: [],
    secrets: ANY_SECRETS,
    time: 0,
    certificates: ANY_CERTIFICATES,
  })
}

const NETWORK = '/etc/systemd/network/10-lab.network'
/** The values of a key in the file of systemd-networkd. */
const inNetwork = (tree: FileTree, key: string) =>
  linesAt(tree, NETWORK).flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))
const alertmanager = (tree: FileTree) =>
  JSON.parse(textAt(tree, '/usr/share/hangar/services/alertmanager/etc/alertmanager/alertmanager.yml'))
/** The topics of the only client that is no service. */
const topics = (tree: FileTree, client: string, access: 'write' | 'read') => {
  const lines = linesAt(tree, '/usr/share/hangar/services/mosquitto/etc/mosquitto/access')
  const own = lines.slice(lines.indexOf(`user ${client}`) + 1)
  const end = own.findIndex((line) => line.startsWith('user '))
  const begin = `topic ${access} `
  return (end < 0 ? own : own.slice(0, end)).flatMap((line) =>
    line.startsWith(begin) ? [line.slice(begin.length)] : [],
  )
}
/** The words of a line of caddy's job, as podman and systemd read them. */
const wordsOf = (tree: FileTree, key: string) =>
  linesAt(tree, '/usr/share/containers/systemd/caddy-acme.container').flatMap((line) =>
    line.startsWith(`${key}=`)
      ? (line.slice(key.length + 1).match(/"(?:\\.|[^"\\])*"|[^ ]+/g) ?? []).map(unquoted)
      : [],
  )
const unquoted = (word: string) => (word.startsWith('"') ? String(JSON.parse(word)) : word).replace(/([$%])\1/g, '$1')
/** The word after an option of lego. */
const option = (tree: FileTree, name: string) => {
  const words = wordsOf(tree, 'Exec')
  return words.flatMap((word, index) => (words[index - 1] === name ? [word] : []))
}
const variables = (tree: FileTree, prefix: string) =>
  wordsOf(tree, 'Environment').flatMap((each) => (each.startsWith(prefix) ? [each.slice(prefix.length)] : []))
/** The service whose port a site of caddy opens. */
const opened = (tree: FileTree, site: string) => {
  const text = textAt(tree, '/usr/share/hangar/services/caddy/etc/caddy/Caddyfile')
  const [, port] = /reverse_proxy 127\.0\.0\.1:(\d+)/.exec(text.slice(text.indexOf(`https://${site} {`))) ?? []
  return { '9090': 'prometheus', '9093': 'alertmanager' }[port ?? '']
}
const mebibytes = (tree: FileTree, name: string) =>
  linesAt(tree, `/usr/share/containers/systemd/${name}.container`).flatMap((line) =>
    line.startsWith('MemoryMax=') ? [`${Number(line.slice('MemoryMax='.length, -1)) - 32} MiB`] : [],
  )

const quota = (tree: FileTree, name: string) => {
  const unit = textAt(tree, '/etc/systemd/system/hangar-data.service')
  const [, bytes] = new RegExp(` ${name}:\\d+:\\d+:(\\S+)`).exec(unit) ?? []
  return [`${Math.floor(Number(bytes) / 2 ** 20)} MiB`]
}

/** Field -> its values in the files of the host, as the program that reads the file sees them. */
const READERS: Readonly<Record<string, (tree: FileTree) => unknown[]>> = {
  name: (tree) => [textAt(tree, '/etc/hostname').trimEnd()],
  timezone: (tree) => {
    const link = tree['/etc/localtime']
    return [link?.kind === 'symlink' ? link.target.slice('/usr/share/zoneinfo/'.length) : undefined]
  },
  'network.address': (tree) => inNetwork(tree, 'Address'),
  'network.address.0': (tree) => inNetwork(tree, 'Address'),
  'network.gateway': (tree) => inNetwork(tree, 'Gateway'),
  'network.gateway.0': (tree) => inNetwork(tree, 'Gateway'),
  'network.dns': (tree) => inNetwork(tree, 'DNS'),
  'network.dns.0': (tree) => inNetwork(tree, 'DNS'),
  'network.domain': (tree) => {
    const [, , own = ''] = linesAt(tree, '/etc/hosts')
    const [, full = '', short = '', ...rest] = own.split(/\s+/)
    const domains = inNetwork(tree, 'Domains').flatMap((line) => line.split(/\s+/))
    const services = Object.keys(FILE.services ?? {}).map((name) => `${name}.${domains[0]}`)
    const names = [`${short}.${domains[0]}`, ...services]
    return [full, ...rest].join() === names.join() ? domains : [own]
  },
  'ssh.keys.0': (tree) => linesAt(tree, '/etc/ssh/authorized_keys/root').slice(0, -1),
  'updates.signingKeys.0': (tree) => linesAt(tree, '/usr/lib/hangar/signing').slice(0, -1),
  'services.alertmanager.webhook': (tree) => [alertmanager(tree).receivers[0].webhook_configs[0].url],
  'services.alertmanager.memory': (tree) => mebibytes(tree, 'alertmanager'),
  'services.mosquitto.clients.any.publish.0': (tree) => topics(tree, 'any', 'write'),
  'services.mosquitto.clients.any.subscribe.0': (tree) => topics(tree, 'any', 'read'),
  'services.caddy.memory.caddy': (tree) => mebibytes(tree, 'caddy'),
  'services.caddy.memory.acme': (tree) => mebibytes(tree, 'caddy-acme'),
  'services.caddy.external.names.home.example.org': (tree) => [opened(tree, 'home.example.org')],
  'services.caddy.disk.acme': (tree) => quota(tree, 'caddy-acme'),
  'services.caddy.disk.certificates': (tree) => quota(tree, 'caddy-certificates'),
  'services.caddy.external.email': (tree) => option(tree, '--email'),
  'services.caddy.external.provider': (tree) => option(tree, '--dns'),
  'services.caddy.external.settings.A_SETTING': (tree) => variables(tree, 'A_SETTING='),
  'services.caddy.external.credentials.0': (tree) =>
    wordsOf(tree, 'Environment').flatMap((each) => /^(\w+)_FILE=/.exec(each)?.[1] ?? []),
  'services.caddy.external.directory': (tree) => option(tree, '--server'),
  'services.caddy.external.resolvers.0': (tree) => option(tree, '--dns.resolvers'),
  'services.node-red.memory': (tree) => mebibytes(tree, 'node-red'),
  'services.node-red.publish.0': (tree) => topics(tree, 'node-red', 'write'),
  'services.node-red.subscribe.0': (tree) => topics(tree, 'node-red', 'read'),
  'services.node-red.disk': (tree) => quota(tree, 'node-red'),
  'services.zigbee2mqtt.memory': (tree) => mebibytes(tree, 'zigbee2mqtt'),
  'services.zigbee2mqtt.disk': (tree) => quota(tree, 'zigbee2mqtt'),
  'services.zigbee2mqtt.adapter': (tree) =>
    linesAt(tree, '/usr/share/containers/systemd/zigbee2mqtt.container').flatMap(
      (line) => /^AddDevice=(.*):\/dev\/zigbee$/.exec(line)?.[1] ?? [],
    ),
  'services.mosquitto.memory': (tree) => mebibytes(tree, 'mosquitto'),
  'services.prometheus.memory': (tree) => mebibytes(tree, 'prometheus'),
  'services.alertmanager.disk': (tree) => quota(tree, 'alertmanager'),
  'services.mosquitto.disk': (tree) => quota(tree, 'mosquitto'),
  'services.prometheus.disk': (tree) => quota(tree, 'prometheus'),
}

/** These sizes plan the image, and no file of the host has them. */
const NOT_IN_FILES = ['memory', 'disk', 'slotSize', 'network.jump']

/** The path of a field, with the keys that the records of the host file have. */
const inFile = (path: FieldPath): FieldPath => {
  let at: unknown = FILE
  return path.map((key) => {
    const record = at as Record<string, unknown>
    const found = key === 'any' ? (Object.keys(record)[0] ?? key) : key
    at = record?.[found]
    return found
  })
}
const FIELDS = stringFields(piSchema).map(inFile)
/** A list may also be one string. */
const valueAt = (file: HostFile, path: FieldPath) =>
  path.reduce<unknown>(
    (value, key) => (typeof value === 'string' ? value : (value as Record<string, unknown>)[key]),
    file,
  ) as string

/**
 * Path -> number of lines; of the firewall, only its tables: a webhook with an address needs other rules than one with a name.
 * The names of ciphertexts contain values of the host file, so only their number counts.
 */
const shapeOf = (tree: FileTree) => {
  const isCiphertext = (path: string) => path.endsWith('.age')
  const lines = Object.entries(tree).flatMap(([path, entry]) => {
    if (isCiphertext(path)) return []
    const all = entry.kind === 'file' ? String(entry.content).split('\n') : []
    return [[path, path === '/etc/nftables.conf' ? all.filter((line) => /^\S/.test(line)) : all.length] as const]
  })
  return { ...Object.fromEntries(lines), ciphertexts: Object.keys(tree).filter(isCiphertext).length }
}
const SHAPE = shapeOf(treeOf(FILE))

/** The reason why a value breaks the rule of this file, or undefined. */
function violation(file: HostFile, path: FieldPath, odd: string): string | undefined {
  const name = path.join('.')
  let tree: FileTree
  try {
    tree = treeOf(withValue(file, path, odd))
  } catch (error) {
    if (!(error instanceof UserError)) return `is refused with a stack: ${error}`
    const { message } = error
    if (/[\p{Cc}\p{Zl}\p{Cs}]/u.test(message) || message.length > 600)
      return `has a message of several lines: ${message}`
    // Addresses also have to fit to each other: the message may name another one.
    const isNamed = message.includes(odd) || message.includes(onlySpelling(odd))
    const named = name.startsWith('network.') && isNamed ? 'network.' : name.replace(/\.0$/, '')
    return message.includes(`at '${named}`) ? undefined : `is refused without the name of the field: ${message}`
  }
  if (JSON.stringify(shapeOf(tree)) !== JSON.stringify(SHAPE)) return 'changes the number of files or lines'
  if (NOT_IN_FILES.includes(name)) return undefined
  const read = READERS[name]?.(tree)
  const isSame = [odd, onlySpelling(odd)].some((each) => JSON.stringify(read) === JSON.stringify([each]))
  return isSame || isSameSize(read, odd) ? undefined : `is read back as ${JSON.stringify(read)}`
}

/** An IPv6 address in any spelling is written in the spelling of the C library. */
function onlySpelling(text: string): string {
  const [address = '', ...rest] = text.split('/')
  return isIPv6(address) ? [new SocketAddress({ address, family: 'ipv6' }).address, ...rest].join('/') : text
}

/** Sizes are read back in MiB. */
function isSameSize(read: readonly unknown[] | undefined, odd: string): boolean {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(MiB|GiB)$/.exec(odd) ?? []
  return unit !== undefined && read?.[0] === `${Math.floor(Number(number) * (unit === 'GiB' ? 1024 : 1))} MiB`
}

describe('the strings of a host file', () => {
  it('all have a valid value in this test, and a reader unless no file has them', () => {
    const names = FIELDS.map((path) => path.join('.'))
    expect(names.filter((name) => !(name in READERS) && !NOT_IN_FILES.includes(name))).toEqual([])
    for (const file of [FILE, IPV6_FILE]) {
      expect(FIELDS.filter((path) => typeof valueAt(file, path) !== 'string')).toEqual([])
      const tree = treeOf(file)
      for (const path of FIELDS.filter((each) => each.join('.') in READERS))
        expect([path, READERS[path.join('.')]?.(tree)]).toEqual([path, [valueAt(file, path)]])
    }
  })

  const ofIpv6 = FIELDS.filter((path) => valueAt(FILE, path) !== valueAt(IPV6_FILE, path))
  describe.each([
    ...FIELDS.map((path) => [path.join('.'), path, FILE] as const),
    ...ofIpv6.map((path) => [`${path.join('.')} of IPv6`, path, IPV6_FILE] as const),
  ])('%s', (_, path, file) => {
    it('refuses an odd string with a message that names the field, or writes it as exactly one value', () => {
      const random = randomFrom(19, FIELDS.indexOf(path))
      const valid = valueAt(file, path)
      const odd = [...oddStrings(valid), ...Array.from({ length: 400 }, () => oddString(valid, random))]
      const wrong = odd.flatMap((each) => {
        const reason = violation(file, path, each)
        return reason === undefined ? [] : [`${JSON.stringify(each.slice(0, 80))} ${reason}`]
      })
      expect(wrong).toEqual([])
    })
  })

  it('are not read back as one value if a line break reaches a file, so that this test would fail', () => {
    const parsed = hostInLab(host(FILE), DEFAULT_FACTS)
    const domain = 'lab\nDNS=6.6.6.6' as typeof parsed.network.domain
    const broken = { ...parsed, network: { ...parsed.network, domain } }
    const tree = hostTree(broken, renderServices(broken), {
      deviceFiles,
      sshKeys: [],
      signingKeys: [],
      secrets: ANY_SECRETS,
      time: 0,
      certificates: ANY_CERTIFICATES,
    })
    expect(shapeOf(tree)).not.toEqual(SHAPE)
    expect(READERS['network.dns.0']?.(tree)).toEqual(['192.0.2.2', '6.6.6.6'])
  })
})
