import type { DeviceUse, Use } from './container.ts'

/** The device that a container waits for. */
export function awaitedDevice(uses: readonly Use[]): string | undefined {
  return uses.find((use): use is DeviceUse => 'device' in use && use.missing === 'wait')?.device
}

/**
 * Lines that make a unit run only while the device exists that its container waits for (systemd.device(5)). hangar's agent reads
 * `X-WaitsFor=`, to report a service that waits; systemd ignores the key.
 */
export function waitingLines(uses: readonly Use[]): string[] {
  const device = awaitedDevice(uses)
  if (device === undefined) return []
  const unit = deviceUnit(device)
  return [`BindsTo=${unit}`, `After=${unit}`, `X-WaitsFor=${device}`]
}

/** A target that wanted a device would wait for it at every boot, so the device itself starts a container that waits. */
export function wantedBy(uses: readonly Use[]): string {
  const device = awaitedDevice(uses)
  return device === undefined ? 'multi-user.target' : deviceUnit(device)
}

const KEPT = /[A-Za-z0-9:_.]/

/** The name of a device's unit, as `systemd-escape --path` makes it from the path (systemd.unit(5)). */
export function deviceUnit(path: string): string {
  const parts = path.split('/').filter((part) => part !== '')
  return `${[...Buffer.from(parts.join('/'))].map(escaped).join('')}.device`
}

function escaped(byte: number, index: number): string {
  const character = String.fromCharCode(byte)
  if (character === '/') return '-'
  const isKept = KEPT.test(character) && !(character === '.' && index === 0)
  return isKept ? character : `\\x${byte.toString(16).padStart(2, '0')}`
}
