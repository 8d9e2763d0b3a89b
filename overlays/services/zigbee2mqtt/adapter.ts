import { UserError } from '../../../errors.ts'
import { parseMachineAddress } from '../../../images/machine-address.ts'
import { quoted } from '../../../images/quoted.ts'
import type { MachineUse, Use } from '../../container.ts'

/** The kinds of adapters, by the firmware that they run (`serial.adapter` in Zigbee2MQTT's settings.schema.json). */
export const ADAPTER_TYPES = ['deconz', 'ember', 'zboss', 'zigate', 'zoh', 'zstack'] as const

/** Debian's group dialout, which may open serial devices. */
const DIALOUT = 20

/** The path of a serial device on the host, or `tcp://ADDRESS:PORT`. */
export type AdapterPath = string & { readonly brand: 'AdapterPath' }

/** The path at which Zigbee2MQTT finds the adapter, and what the container needs to reach it. */
export interface Adapter {
  readonly path: string
  readonly use: Use
}

// podman separates the paths of a device by a colon, and systemd would expand other characters.
const DEVICE = /^\/dev\/[A-Za-z0-9_.+@-]+(\/[A-Za-z0-9_.+@-]+)*$/
const TCP = /^tcp:\/\/([0-9.]+):([1-9]\d{0,4})$/

export function parseAdapterPath(text: string): AdapterPath {
  if (isDevice(text) || tcpOf(text) !== undefined) return text as AdapterPath
  throw new UserError(
    'host',
    `${quoted(text)} is neither the path of a serial device such as '/dev/serial/by-id/usb-…' nor a TCP port such as 'tcp://10.0.10.50:6638'`,
    { hint: "list the serial devices of the host, 'ls /dev/serial/by-id', or use the IPv4 address of the adapter" },
  )
}

/** The container sees a device under one name, so that Zigbee2MQTT's data do not depend on the name of the stick. */
export function adapterAt(path: AdapterPath): Adapter {
  const tcp = tcpOf(path)
  if (tcp !== undefined) return { path, use: tcp }
  const own = '/dev/zigbee'
  return { path: own, use: { device: path, path: own, group: DIALOUT, missing: 'wait' } }
}

function isDevice(text: string): boolean {
  return DEVICE.test(text) && !text.split('/').some((part) => part === '.' || part === '..')
}

function tcpOf(text: string): MachineUse | undefined {
  const [, address, port] = TCP.exec(text) ?? []
  if (address === undefined || Number(port) > 65_535) return undefined
  return { machine: parseMachineAddress(address), ports: [['tcp', Number(port)]] }
}
