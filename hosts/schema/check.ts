import { UserError } from '../../errors.ts'
import { diskLayout, GIB, MIB } from '../../images/layout.ts'
import { BASE_PORTS } from '../../overlays/base/firewall.ts'
import type { Host } from '../../overlays/host-facts.ts'
import { renderedServices } from '../../overlays/rendered.ts'

/** Memory that no service may be promised: the system's own, and some for what files it reads. */
export const MEMORY_RESERVE = 768 * MIB

/** Refuses what cannot work before anything is built. */
export function checkHost(host: Host): void {
  checkNetwork(host)
  checkDisk(host)
  checkMemory(host)
  checkPorts(host)
}

function checkDisk({ name, disk, slotSize }: Host): void {
  const { size } = diskLayout(slotSize)
  if (size <= disk) return
  throw new UserError(
    'host',
    `${name}: two slots of ${slotSize / GIB} GiB and what else is on the disk take ${inGb(size)} GB, the disk has ${inGb(disk)} GB`,
    { hint: `set a smaller 'slotSize' in hosts/${name}.ts, or take a larger disk` },
  )
}

function inGb(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}

function checkMemory({ name, memory, services }: Host): void {
  const promised = services.reduce((sum, each) => sum + each.memory, 0)
  const room = memory - MEMORY_RESERVE
  if (promised <= room) return
  const rows = [...services].sort((a, b) => b.memory - a.memory).map((each) => [each.name, each.memory] as const)
  const lines = [
    ...rows,
    ['all services', promised] as const,
    ['reserve', MEMORY_RESERVE] as const,
    ['memory of the host', memory] as const,
  ]
  const width = Math.max(...lines.map(([what]) => what.length))
  const table = lines
    .map(([what, bytes]) => `  ${what.padEnd(width)}  ${String(Math.round(bytes / MIB)).padStart(6)} MiB`)
    .join('\n')
  throw new UserError(
    'host',
    `${name}: services may use ${Math.round(promised / MIB)} MiB, there is room for ${Math.round(room / MIB)} MiB:\n${table}`,
    {
      hint: `lower 'memory' of a service in hosts/${name}.ts, or move one to another host`,
    },
  )
}

function checkPorts(host: Host): void {
  const taken = new Map(
    BASE_PORTS.map(({ number, protocol, purpose }) => [`${number}/${protocol}`, `the host (${purpose})`]),
  )
  for (const { kind, ports } of renderedServices(host)) {
    for (const { number, protocol } of ports) {
      const port = `${number}/${protocol}`
      const other = taken.get(port)
      if (other !== undefined)
        throw new UserError('host', `${host.name}: port ${port} is taken twice: by ${other} and by '${kind.name}'`, {
          hint: `move one of them to another host, or give it another port in hosts/${host.name}.ts`,
        })
      taken.set(port, `'${kind.name}'`)
    }
  }
}

function checkNetwork({ name, network }: Host): void {
  const { address, prefix, gateway } = network
  if (prefix > 30 || prefix < 8)
    throw new UserError('host', `${name}: the network's prefix length is ${prefix}, wanted 8 to 30`, {
      hint: `mend 'network.address' in hosts/${name}.ts`,
    })
  if (networkOf(address, prefix) !== networkOf(gateway, prefix) || address === gateway)
    throw new UserError(
      'host',
      `${name}: the gateway '${gateway}' is not another machine in the network of '${address}/${prefix}'`,
      { hint: `mend 'network' in hosts/${name}.ts` },
    )
  const size = 2 ** (32 - prefix)
  const place = numberOf(address) % size
  if (place > 0 && place < size - 1) return
  throw new UserError('host', `${name}: '${address}/${prefix}' is the first or the last address of its network`, {
    hint: `those two are no machine's: choose another 'network.address' in hosts/${name}.ts`,
  })
}

function networkOf(address: string, prefix: number): number {
  return Math.floor(numberOf(address) / 2 ** (32 - prefix))
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
