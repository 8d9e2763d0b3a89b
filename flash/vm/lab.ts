import type { MachineEnding } from './machine.ts'
import type { GuestForward } from './netdev.ts'
import { sharedNetwork } from './shared-network.ts'
import { userNetwork } from './subnet.ts'
import { startNetwork, type VirtualNetwork } from './virtual-network.ts'
import { type PreparedVm, prepareVm, requireOwnImage, startPrepared, type Vm, type VmOptions } from './vm.ts'

/** Several machines on one network, in the order of the hosts. */
export interface VmLab {
  readonly machines: readonly Vm[]
  /** How each machine ended. Rejects with the first failure after all machines have ended. */
  readonly ended: Promise<readonly MachineEnding[]>
  /** Switches all machines off. */
  stop(): Promise<void>
}

/** Boots several hosts on one network. A machine that ends leaves the others running. */
export async function startLab(hosts: readonly VmOptions[]): Promise<VmLab> {
  // Checks all hosts before it copies a disk.
  sharedNetwork(hosts.map(({ host }) => host))
  for (const options of hosts) requireOwnImage(options)
  const prepared: PreparedVm[] = []
  try {
    for (const options of hosts) prepared.push(await prepareVm(options, portsOf(prepared)))
    const network = await connect(prepared)
    for (const { options, ports } of prepared) options.onPorts?.(ports)
    return labOf(network, prepared)
  } catch (error) {
    for (const { discard } of prepared) discard()
    throw error
  }
}

function portsOf(prepared: readonly PreparedVm[]): Set<number> {
  return new Set(prepared.flatMap(({ ports }) => Object.values(ports)))
}

async function connect(prepared: readonly PreparedVm[]): Promise<VirtualNetwork> {
  const [first] = prepared
  if (first === undefined) throw new Error('a lab has at least one host')
  const members = prepared.map(({ options }) => options.host)
  return startNetwork({ qemu: first.qemu, members, forwards: prepared.flatMap(guestForwards) })
}

function guestForwards({ options, forwards }: PreparedVm): GuestForward[] {
  const address = userNetwork(options.host.network, 4)?.address
  return address === undefined ? [] : forwards.map((forward) => ({ ...forward, address }))
}

function labOf(network: VirtualNetwork, prepared: readonly PreparedVm[]): VmLab {
  const machines = prepared.map((each) => startPrepared(each, network.linkOf(each.options.host.name)))
  const stop = async () => {
    await Promise.all(machines.map((machine) => machine.stop()))
  }
  // Without the network, the machines are of no use.
  network.ended.catch(stop)
  const ended = endingsOf(network, machines)
  ended.catch(() => undefined)
  return { machines, ended, stop }
}

async function endingsOf(network: VirtualNetwork, machines: readonly Vm[]): Promise<readonly MachineEnding[]> {
  const results = await Promise.allSettled(machines.map(({ ended }) => ended))
  await network.close()
  // The failure of the network comes first, because it ends the machines.
  await network.ended
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
