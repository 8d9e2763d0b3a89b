import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostTree } from '../../overlays/host-tree.ts'
import { deviceTexts } from '../helpers/device-texts.ts'
import { linesAt, textAt } from '../helpers/file-tree.ts'
import { testHost } from '../helpers/host.ts'

const ASSETS = {
  deviceFiles: { ...deviceTexts(), 'system/data.sh': '#!/bin/sh\n' },
  sshKeys: ['ssh-ed25519 AAAA owner'],
  signingKeys: ['ssh-ed25519 CCCC signing'],
  time: 1_700_000_000,
}
const tree = hostTree(testHost(), ASSETS)

describe('the host layer', () => {
  it('is the base, the scripts of the device and each service', () => {
    expect(textAt(tree, '/etc/hostname')).toBe('tiny\n')
    expect(tree['/usr/lib/hangar/data']).toMatchObject({ content: '#!/bin/sh\n', mode: 0o755 })
    expect(textAt(tree, '/usr/share/containers/systemd/mosquitto.container')).toContain('[Container]')
    expect(textAt(tree, '/usr/share/hangar/services/mosquitto/etc/mosquitto/mosquitto.conf')).toContain('listener')
  })

  it('says to the agent what it runs on, and whose updates it takes', () => {
    const facts = linesAt(tree, '/usr/lib/hangar/facts')
    expect(facts).toEqual(expect.arrayContaining(["HOST='tiny'", "BOARD='raspberry-pi-5'", 'BUILT=1700000000']))
    expect(textAt(tree, '/usr/lib/hangar/signing')).toBe('ssh-ed25519 CCCC signing\n')
  })

  it('lies where nothing is mounted over it', () => {
    const hidden = Object.keys(tree).filter((path) => /^\/(var|run|tmp|dev|proc|sys|data)(\/|$)/.test(path))
    expect(hidden).toEqual([])
  })

  it('names every path in full, and belongs to root', () => {
    for (const [path, entry] of Object.entries(tree)) {
      expect(path).toBe(posix.normalize(path))
      expect(path.startsWith('/')).toBe(true)
      if (entry.kind === 'file') expect([entry.uid, entry.gid, entry.mode & 0o022]).toEqual([0, 0, 0])
    }
  })

  it("lets in the host file's keys and the owner's, each once", () => {
    const keys = ['ssh-ed25519 BBBB friend', 'ssh-ed25519 AAAA owner']
    const lines = linesAt(hostTree(testHost({ ssh: { keys } }), ASSETS), '/etc/ssh/authorized_keys/root')
    expect(lines).toEqual([...keys, ''])
  })

  it('opens the ports of the services that run, and of no other', () => {
    expect(textAt(tree, '/etc/nftables.conf')).toContain('dport 1883')
    expect(textAt(hostTree(testHost({ services: {} }), ASSETS), '/etc/nftables.conf')).not.toContain('dport 1883')
  })

  it("gives each service's data to the user that it runs as", () => {
    const [command] = linesAt(tree, '/etc/systemd/system/hangar-data.service').filter((each) =>
      each.startsWith('ExecStart='),
    )
    expect(command).toBe('ExecStart=/usr/lib/hangar/data mosquitto:120:120 prometheus:108:108')
  })
})
