import type { Json } from '../../../images/canonical.ts'

/** A tree of settings, as in Zigbee2MQTT's configuration.yaml. */
export type Settings = { readonly [name: string]: Json | Settings }

/**
 * The environment variables that set Zigbee2MQTT's settings (`applyEnvironmentVariables` in its lib/util/settings.ts). They win
 * over the file that Zigbee2MQTT writes itself, so the host file decides.
 */
export function settingsEnvironment(settings: Settings, prefix = 'ZIGBEE2MQTT_CONFIG'): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => {
      const variable = `${prefix}_${name.toUpperCase()}`
      if (isTree(value)) return Object.entries(settingsEnvironment(value, variable))
      return [[variable, typeof value === 'string' ? value : JSON.stringify(value)]]
    }),
  )
}

function isTree(value: Json | Settings): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
