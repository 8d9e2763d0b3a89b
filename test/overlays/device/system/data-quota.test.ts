import { expect, it } from 'vitest'
import { BTRFS, newDevice } from '../../../helpers/fake-data.ts'
import { describeOnShells } from '../../../helpers/fake-device.ts'

describeOnShells('the quota of a service', (shell) => {
  const quotas = (calls: readonly string[]) => calls.filter((call) => /^btrfs -q (quota|qgroup) /.test(call))

  it('limits the data of each service to its quota at each boot, and those of a service without a quota not at all', async () => {
    const { device, boot } = await newDevice(shell)
    const limit = (bytes: string, name: string) => `btrfs -q qgroup limit ${bytes} 0/${name} ${device.path('data')}`
    const wanted = (slot: string) => [
      `btrfs -q quota enable ${device.path('data')}`,
      limit('none', `mosquitto@${slot}`),
      limit('1073741824', `mosquitto@${slot}`),
      limit('none', `prometheus@${slot}`),
    ]
    expect(quotas(boot().calls)).toEqual(wanted('a'))
    expect(quotas(boot({ slot: 'b' }).calls)).toEqual(wanted('b'))
  })

  it('lifts a quota while it changes the owner of the data, because the quota may be full', async () => {
    const { device, boot } = await newDevice(shell)
    const { calls } = boot()
    const about = calls.filter((call) => /^(chown|btrfs -q qgroup) .*mosquitto@a/.test(call))
    expect(about.map((call) => call.replaceAll(`${device.root}/`, ''))).toEqual([
      'btrfs -q qgroup limit none 0/mosquitto@a data',
      'chown 120:120 data/mosquitto@a',
      'btrfs -q qgroup limit 1073741824 0/mosquitto@a data',
    ])
  })

  it('limits a snapshot of a trial before its service can write', async () => {
    const { device, boot } = await newDevice(shell)
    boot()
    const { calls } = boot({ slot: 'b', trial: 'snapshot' })
    const at = (text: string) => calls.findIndex((call) => call.includes(text))
    const snapshot = at(`snapshot ${device.path('data/mosquitto@a')}`)
    const limit = at('limit 1073741824 0/mosquitto@b ')
    expect(snapshot).toBeGreaterThanOrEqual(0)
    expect(limit).toBeGreaterThan(snapshot)
    expect(at('subvol=mosquitto@b')).toBeGreaterThan(limit)
  })

  it('mounts all data if btrfs refuses quotas, and says so', async () => {
    const { device, boot } = await newDevice(shell)
    device.fake('btrfs', BTRFS.replace('esac', "  'quota enable' | 'qgroup limit') exit 1 ;;\nesac"))
    const { failed, mounts, said } = boot()
    expect(failed).toBe('')
    expect(mounts.at(-1)).toContain('subvol=prometheus@a')
    expect(said).toContain('cannot count the data of the services: they have no quotas')
    expect(said).toContain('cannot set the quota of mosquitto@a')
  })

  it('lets btrfs count again only if it has lost the counts', async () => {
    const { device, boot } = await newDevice(shell)
    const rescans = () => quotas(boot().calls).filter((call) => call.includes('rescan'))
    device.write('sys/fs/btrfs/01234567/qgroups/inconsistent', '0\n')
    expect(rescans()).toEqual([])
    device.write('sys/fs/btrfs/01234567/qgroups/inconsistent', '1\n')
    expect(rescans()).toEqual([`btrfs -q quota rescan ${device.path('data')}`])
  })
})
