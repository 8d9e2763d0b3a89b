import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deviceSources } from '../../overlays/device/manifest.ts'
import { PROJECT } from './toolchain.ts'

/** A short text for every file that the manifest of `overlays/device` names. */
export function deviceTexts(): Record<string, string> {
  return Object.fromEntries(deviceSources().map((source) => [source, `# ${source}\n`]))
}

/** The text of every file that the manifest of `overlays/device` names. */
export function realDeviceTexts(): Record<string, string> {
  const text = (source: string) => readFileSync(join(PROJECT, 'overlays/device', source), 'utf8')
  return Object.fromEntries(deviceSources().map((source) => [source, text(source)]))
}
