import type { Service } from '../service.ts'
import { alertmanager } from './alertmanager/service.ts'
import { caddy } from './caddy/service.ts'
import { mosquitto } from './mosquitto/service.ts'
import { nodeRed } from './node-red/service.ts'
import { prometheus } from './prometheus/service.ts'
import { zigbee2mqtt } from './zigbee2mqtt/service.ts'

/** All services. To add one, add its folder next to these and a line here. */
export const SERVICES = { alertmanager, caddy, mosquitto, 'node-red': nodeRed, prometheus, zigbee2mqtt }

export type ServiceKind = keyof typeof SERVICES

export function findService(name: string): Service | undefined {
  return Object.hasOwn(SERVICES, name) ? (SERVICES[name as ServiceKind] as unknown as Service) : undefined
}
