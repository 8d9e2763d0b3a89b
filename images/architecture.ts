/** Debian's names for the machines that are built for or on. */
export type Architecture = 'amd64' | 'arm64'

/** Where Debian puts an architecture's libraries. */
export const MULTIARCH: Record<Architecture, string> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/** Node's `process.arch` as Debian spells it. */
export function debianArchitecture(nodeArch: string): Architecture | undefined {
  if (nodeArch === 'x64') return 'amd64'
  return nodeArch === 'arm64' ? 'arm64' : undefined
}
