import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Host } from '../../overlays/host-facts.ts'
import { renderServices } from '../../overlays/host-services.ts'
import { hostTree } from '../../overlays/host-tree.ts'
import { ANY_CERTIFICATES } from '../helpers/any-certificates.ts'
import { ANY_SECRETS } from '../helpers/any-secrets.ts'
import { deviceTexts, realDeviceTexts } from '../helpers/device-texts.ts'
import { linesAt, textAt } from '../helpers/file-tree.ts'
import { testHost } from '../helpers/host.ts'
import { publicLine } from '../helpers/public-line.ts'

const ASSETS = {
  deviceFiles: { ...deviceTexts(), 'system/data.sh': '#!/bin/sh\n' },
  sshKeys: ['ssh-ed25519 AAAA owner'],
  signingKeys: ['ssh-ed25519 CCCC signing'],
  secrets: ANY_SECRETS,
  time: 1_700_000_000,
  certificates: ANY_CERTIFICATES,
}
const treeOf = (host: Host) => hostTree(host, renderServices(host), ASSETS)
const tree = treeOf(testHost())

describe('the host layer', () => {
  it('the host layer holds the base, the device scripts and each service', () => {
    expect(textAt(tree, '/etc/hostname')).toBe('tiny\n')
    expect(tree['/usr/lib/hangar/data']).toMatchObject({ content: '#!/bin/sh\n', mode: 0o755 })
    expect(textAt(tree, '/usr/share/containers/systemd/mosquitto.container')).toContain('[Container]')
    expect(textAt(tree, '/usr/share/hangar/services/mosquitto/etc/mosquitto/mosquitto.conf')).toContain('listener')
  })

  it.each(['a\r\nb', '#!/usr/bin/python3\n', '#!/bin/sh\r\n'])(
    'refuses a text that the host cannot use: %j',
    (text) => {
      const deviceFiles = { ...ASSETS.deviceFiles, 'system/data.sh': text }
      expect(() => hostTree(testHost(), renderServices(testHost()), { ...ASSETS, deviceFiles })).toThrow(
        /^cannot write '\/usr\/lib\/hangar\/data' for 'tiny': (line 1 has a carriage return|its interpreter is)/,
      )
    },
  )

  it('names an interpreter in every script that a unit starts', () => {
    const started = Object.keys(tree).flatMap((path) =>
      path.endsWith('.service') && tree[path]?.kind === 'file'
        ? [...textAt(tree, path).matchAll(/^Exec\w+=[-+!@:]*(\/usr\/lib\/hangar\/\S+)/gm)].map(([, file]) => file ?? '')
        : [],
    )
    const scripts = started.filter((path) => path in tree)
    expect(scripts).toContain('/usr/lib/hangar/agent')
    const hostTexts = hostTree(testHost(), renderServices(testHost()), { ...ASSETS, deviceFiles: realDeviceTexts() })
    for (const path of scripts) expect([path, textAt(hostTexts, path).split('\n')[0]]).toEqual([path, '#!/bin/sh'])
  })

  it('the host layer tells the agent its host, and the keys that may sign updates', () => {
    const facts = linesAt(tree, '/usr/lib/hangar/facts')
    expect(facts).toEqual(expect.arrayContaining(["HOST='tiny'", "BOARD='raspberry-pi-5'", 'BUILT=1700000000']))
    expect(textAt(tree, '/usr/lib/hangar/signing')).toBe('ssh-ed25519 CCCC signing\n')
  })

  it('only the files of the network differ between a host with IPv4, with IPv6 and with both', () => {
    const of = (address: string[], gateway: string[]) => treeOf(testHost({ network: { address, gateway } }))
    const ipv4 = of(['192.0.2.10/24'], ['192.0.2.1'])
    for (const other of [
      of(['2001:db8::10/64'], ['fe80::1']),
      of(['192.0.2.10/24', '2001:db8::10/64'], ['192.0.2.1', '2001:db8::1']),
    ]) {
      expect(Object.keys(other)).toEqual(Object.keys(ipv4))
      const differing = Object.keys(ipv4).filter((path) => JSON.stringify(ipv4[path]) !== JSON.stringify(other[path]))
      expect(differing.sort()).toEqual(['/etc/hosts', '/etc/nftables.conf', '/etc/systemd/network/10-lab.network'])
    }
  })

  it('the host layer has the time servers of the lab', () => {
    const services = renderServices(testHost())
    const facts = { ...services.lab.facts, timeServers: ['192.0.2.1'] }
    const withServers = hostTree(testHost(), { ...services, lab: { ...services.lab, facts } }, ASSETS)
    const added = Object.keys(withServers).filter((path) => !(path in tree))
    expect(added).toEqual(['/etc/systemd/timesyncd.conf.d/lab.conf'])
  })

  it('no program of the host listens at one address only, so that IPv4 and IPv6 reach the same ports', () => {
    const texts = Object.values(tree).flatMap((entry) => (entry.kind === 'file' ? [String(entry.content)] : []))
    const listening = texts.flatMap((text) => text.match(/^.*(?:listen|bind|ListenAddress).*$/gim) ?? [])
    expect(listening.filter((line) => /\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]*\]/i.test(line))).toEqual([])
    expect(listening.join('\n')).toContain('--web.listen-address=:9090')
  })

  it('the agent reads the gateways from the file that the host layer has', () => {
    const [, path = ''] = /^NETWORK=.*:-(.*)\}$/m.exec(realDeviceTexts()['agent/health.sh'] ?? '') ?? []
    expect(path).toBe('/etc/systemd/network/10-lab.network')
    expect(linesAt(tree, path)).toContain('Gateway=192.0.2.1')
  })

  it('the host layer has no file below a mount point of the host', () => {
    const hidden = Object.keys(tree).filter((path) => /^\/(var|run|tmp|dev|proc|sys|data)(\/|$)/.test(path))
    expect(hidden).toEqual([])
  })

  it('the host layer has absolute paths, owned by root and writable by root only', () => {
    for (const [path, entry] of Object.entries(tree)) {
      expect(path).toBe(posix.normalize(path))
      expect(path.startsWith('/')).toBe(true)
      if (entry.kind === 'file') expect([entry.uid, entry.gid, entry.mode & 0o022]).toEqual([0, 0, 0])
    }
  })

  it("the host layer allows logins with the keys of the host file and the owner's keys, each once", () => {
    const keys = [publicLine(1, 'friend'), publicLine(2, 'owner')]
    const host = testHost({ ssh: { keys } })
    const assets = { ...ASSETS, sshKeys: [publicLine(2, 'another name')] }
    const tree = hostTree(host, renderServices(host), assets)
    expect(linesAt(tree, '/etc/ssh/authorized_keys/root')).toEqual([...keys, ''])
  })

  it('the host layer opens only the ports of the services of the host', () => {
    expect(textAt(tree, '/etc/nftables.conf')).toContain('dport 8883')
    expect(textAt(treeOf(testHost({ services: {} })), '/etc/nftables.conf')).not.toContain('dport 8883')
  })

  it('the host layer makes a subvolume for each volume, owned by the user of the volume', () => {
    const [command] = linesAt(tree, '/etc/systemd/system/hangar-data.service').filter((each) =>
      each.startsWith('ExecStart='),
    )
    expect(command).toBe('ExecStart=/usr/lib/hangar/data mosquitto:120:120:1073741824 prometheus:108:108:8589934592')
  })
})
