import { interfaceText } from '../../images/ip-address.ts'
import { type FileTree, file, symlink } from '../../images/tree.ts'
import type { Host } from '../host-facts.ts'

/** The Ethernet drivers of the Pi 5 (Cadence GEM in RP1) and of the virtual machine. */
const DRIVERS = ['macb', 'virtio_net'] as const

// Limits coldplug to devices. A full coldplug triggers 1,696 events, of which only 282 are for devices. The others are
// for drivers and built-in modules: no udev rule of the image needs them, and sysinit.target would wait for all of
// them.
const COLDPLUG = [
  '[Unit]',
  'After=systemd-modules-load.service',
  '',
  '[Service]',
  'ExecStart=',
  'ExecStart=-udevadm trigger --type=devices --action=add --prioritized-subsystem=net,block,tty,input',
  '',
].join('\n')

/** The static addresses on every Ethernet interface: `end0` on a Pi 5, `enp0s1` in a virtual machine. */
export function networkFiles({ network }: Host): FileTree {
  const { addresses, gateways, dns, domain } = network
  return {
    '/etc/systemd/network/10-lab.network': file(
      [
        '[Match]',
        'Name=en* eth*',
        '',
        '[Network]',
        ...addresses.map((each) => `Address=${interfaceText(each)}`),
        ...gateways.map((gateway) => `Gateway=${gateway}`),
        ...dns.map((server) => `DNS=${server}`),
        `Domains=${domain}`,
        'LLMNR=no',
        'MulticastDNS=no',
        // The host has exactly the addresses and routes of its host file. A router announcement would add addresses that
        // the internet may reach, and any machine of the network could take the default route with one.
        'IPv6AcceptRA=no',
        // Sets the address even without a cable, so that services that bind to the address can start.
        'ConfigureWithoutCarrier=yes',
        '',
        '[Link]',
        'RequiredForOnline=no',
        '',
      ].join('\n'),
    ),
    // Loads the Ethernet driver before coldplug. If coldplug loads the driver, udev names the interface after all other
    // devices, which takes a minute longer on a busy host.
    '/etc/modules-load.d/hangar-network.conf': file(DRIVERS.map((name) => `${name}\n`).join('')),
    '/etc/systemd/system/systemd-udev-trigger.service.d/hangar.conf': file(COLDPLUG),
    '/etc/resolv.conf': symlink('../run/systemd/resolve/stub-resolv.conf'),
    '/etc/systemd/resolved.conf.d/lab.conf': file('[Resolve]\nLLMNR=no\nMulticastDNS=no\nFallbackDNS=\n'),
    '/etc/sysctl.d/60-hangar.conf': file(
      [
        '# The memory limits of all containers fit into memory: swap as little as possible.',
        'vm.swappiness=10',
        'net.ipv4.conf.all.rp_filter=2',
        'kernel.panic=10',
        '# With transparent huge pages the kernel reserves five times the value of its formula. This is the value for 4 GiB.',
        'vm.min_free_kbytes=8192',
        '',
      ].join('\n'),
    ),
  }
}
