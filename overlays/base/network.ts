import { type FileTree, file, symlink } from '../../images/tree.ts'
import type { Host } from '../host-facts.ts'

/** Of the Pi 5's Ethernet (RP1's Cadence GEM), and of the virtual machine's. */
const DRIVERS = ['macb', 'virtio_net'] as const

// Of 1,696 events of a coldplug, 282 are devices. The rest, every driver and every module that is built in, has no rule
// here but for what is mounted anyway, and had a host's devices and its sysinit.target wait until all of it was gone through.
const COLDPLUG = [
  '[Unit]',
  'After=systemd-modules-load.service',
  '',
  '[Service]',
  'ExecStart=',
  'ExecStart=-udevadm trigger --type=devices --action=add --prioritized-subsystem=net,block,tty,input',
  '',
].join('\n')

/** One static address on whatever Ethernet there is: `end0` on a Pi 5, `enp0s1` and the like in a virtual machine. */
export function networkFiles({ network }: Host): FileTree {
  const { address, prefix, gateway, dns, domain } = network
  return {
    '/etc/systemd/network/10-lab.network': file(
      [
        '[Match]',
        'Name=en* eth*',
        '',
        '[Network]',
        `Address=${address}/${prefix}`,
        `Gateway=${gateway}`,
        ...dns.map((server) => `DNS=${server}`),
        `Domains=${domain}`,
        'LLMNR=no',
        'MulticastDNS=no',
        'IPv6AcceptRA=no',
        // The address is there before the cable is: services that bind to it start.
        'ConfigureWithoutCarrier=yes',
        '',
        '[Link]',
        'RequiredForOnline=no',
        '',
      ].join('\n'),
    ),
    // A driver that coldplug finds has its device named after everything else that was plugged: on a host whose services
    // start at the same time, a minute later. One that is there before is first.
    '/etc/modules-load.d/hangar-network.conf': file(DRIVERS.map((name) => `${name}\n`).join('')),
    '/etc/systemd/system/systemd-udev-trigger.service.d/hangar.conf': file(COLDPLUG),
    '/etc/resolv.conf': symlink('../run/systemd/resolve/stub-resolv.conf'),
    '/etc/systemd/resolved.conf.d/lab.conf': file('[Resolve]\nLLMNR=no\nMulticastDNS=no\nFallbackDNS=\n'),
    '/etc/sysctl.d/60-hangar.conf': file(
      [
        '# Memory that is promised is there: limits are explicit.',
        'vm.swappiness=10',
        'net.ipv4.conf.all.rp_filter=2',
        'kernel.panic=10',
        '# The kernel sets five times its own formula aside where huge pages are on; this is the formula for 4 GiB.',
        'vm.min_free_kbytes=8192',
        '',
      ].join('\n'),
    ),
  }
}
