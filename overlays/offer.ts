import type { AlertGroup } from './alert.ts'
import type { Protocol } from './container.ts'
import type { MqttClient } from './mqtt.ts'

/** A port on which a service listens. `lab`: open to every machine that reaches the host. `host`: open to the host itself only. */
export interface Port {
  readonly number: number
  readonly protocol: Protocol
  readonly reach: 'lab' | 'host'
  readonly purpose: string
  /** Whether a browser can open the port. */
  readonly web: boolean
  /**
   * The browsers that caddy connects to the port: all, or only those with a client certificate of the lab's internal CA.
   * Default: all.
   */
  readonly browsers?: 'all' | 'with-certificate'
}

/** A page of metrics for prometheus. */
export interface ScrapeTarget {
  /** The value of the label `job`. */
  readonly job: string
  readonly port: number
  readonly path: string
}

/** A Grafana dashboard, as Grafana exports it. */
export interface Dashboard {
  readonly name: string
  readonly model: Readonly<Record<string, unknown>>
}

/** The facts about one service that other services of the lab may use. */
export interface Offer {
  readonly name: string
  readonly ports: readonly Port[]
  readonly metrics: readonly ScrapeTarget[]
  readonly alerts: readonly AlertGroup[]
  readonly dashboards: readonly Dashboard[]
  /** The clients of the MQTT broker, by the subjects of the service's certificates. */
  readonly mqtt: readonly MqttClient[]
}
