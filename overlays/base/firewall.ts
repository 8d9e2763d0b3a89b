import type { InterfaceAddress } from '../../images/ip-address.ts'
import { type FileTree, file } from '../../images/tree.ts'
import { emergencyRuleset } from '../firewall/emergency.ts'
import { insideNetworks } from '../firewall/inside.ts'
import { openingsOf } from '../firewall/openings.ts'
import { ruleset } from '../firewall/ruleset.ts'
import { containerSenders, systemSenders } from '../firewall/senders.ts'
import type { Host } from '../host-facts.ts'
import type { HostServices } from '../host-services.ts'

const EMERGENCY = '/usr/share/hangar/firewall-emergency.nft'

/** The rules of the host, and those that replace them when they cannot be loaded. `networks` are the networks of the lab. */
export function firewallFiles(
  host: Host,
  services: HostServices,
  networks: readonly InterfaceAddress[] = [],
): FileTree {
  const { lab, offers } = services
  const rules = ruleset({
    senders: [...systemSenders(host), ...containerSenders(host.name, services)],
    openings: openingsOf(host.name, lab, offers),
    inside: insideNetworks(host, lab, networks),
  })
  return {
    '/etc/nftables.conf': file(rules, 0o755),
    [EMERGENCY]: file(emergencyRuleset()),
    '/etc/systemd/system/nftables.service.d/hangar.conf': file(DROP_IN),
    '/etc/systemd/system/hangar-firewall-emergency.service': file(EMERGENCY_UNIT),
  }
}

const DROP_IN = [
  '[Unit]',
  'OnFailure=hangar-firewall-emergency.service',
  '',
  '[Service]',
  // Keeps the rules at a shutdown, because services still run then.
  'ExecStop=',
  // The network waits for the rules. On a busy emulated machine, their kernel modules take more than a minute to load.
  'TimeoutStartSec=300',
  '',
].join('\n')

// The network waits for this unit, as it waits for nftables.service. The unit does not stay active, so that it runs again if the
// rules fail again.
const EMERGENCY_UNIT = [
  '[Unit]',
  'Description=Firewall that admits only ssh, because nftables.service has failed',
  'DefaultDependencies=no',
  'Before=network-pre.target',
  '',
  '[Service]',
  'Type=oneshot',
  `ExecStart=/usr/sbin/nft -f ${EMERGENCY}`,
  '',
].join('\n')
