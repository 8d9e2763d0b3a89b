import { deviceSources } from '../../overlays/device/manifest.ts'

/** A short text for every file that the manifest of `overlays/device` names. */
export function deviceTexts(): Record<string, string> {
  return Object.fromEntries(deviceSources().map((source) => [source, `# ${source}\n`]))
}
