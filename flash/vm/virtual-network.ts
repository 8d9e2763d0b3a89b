import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../errors.ts'
import { atExit } from '../../lib/at-exit.ts'
import { privateDirectory } from '../private-directory.ts'
import { type MacAddress, macAddressOf } from './mac-address.ts'
import { type GuestForward, gatewayArguments, type Link } from './netdev.ts'
import type { Program } from './program.ts'
import { startQemu } from './qemu.ts'
import { type Member, sharedNetwork } from './shared-network.ts'
import { startSwitch } from './switch.ts'

/** A network of several machines. It outlives them, so that one machine can reset while the others stay connected. */
export interface VirtualNetwork {
  /** What the network card of a member is connected to. */
  linkOf(name: string): Link
  /** Rejects if the network ends before `close`. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

export interface VirtualNetworkOptions {
  readonly qemu: Program
  readonly members: readonly Member[]
  readonly forwards: readonly GuestForward[]
}

/** Starts a switch with a port for each host and a port for a gateway: a QEMU without a machine. */
export async function startNetwork(options: VirtualNetworkOptions): Promise<VirtualNetwork> {
  const networks = sharedNetwork(options.members)
  const directory = privateDirectory()
  const path = (name: string) => join(directory, name)
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true })
  const undo: (() => void | Promise<void>)[] = [removeDirectory, atExit(removeDirectory)]
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const links = options.members.map((member, index) => linkTo(path(`host-${index}`), member))
    const uplink = { socket: path('gateway'), addresses: 'others' as const }
    const hub = await startSwitch([...links.map(({ socket, mac }) => ({ socket, addresses: [mac] })), uplink])
    undo.push(() => hub.close())
    const control = path('control')
    const args = gatewayArguments({ ...options, networks, socket: uplink.socket, control })
    const gateway = await startQemu(options.qemu, args, control)
    undo.push(() => gateway.kill())
    const ended = gateway.ended.then(() => {
      if (undo.length > 0) throw endedEarly()
    })
    ended.catch(() => undefined)
    await Promise.race([hub.connected, ended])
    return { ended, close, linkOf: (name) => linkOf(links, name) }
  } catch (error) {
    await close()
    throw error
  }
}

interface MemberLink {
  readonly kind: 'switch'
  readonly name: string
  readonly socket: string
  readonly mac: MacAddress
}

function linkTo(socket: string, { name }: Member): MemberLink {
  return { kind: 'switch', name, socket, mac: macAddressOf(name) }
}

function linkOf(links: readonly MemberLink[], name: string): Link {
  const link = links.find((each) => each.name === name)
  if (link === undefined) throw new Error(`'${name}' is not on the network`)
  return { kind: 'switch', socket: link.socket, mac: link.mac }
}

function endedEarly(): UserError {
  return new UserError('vm', 'the gateway of the virtual network ended: another program stopped QEMU', {
    hint: 'start again',
  })
}
