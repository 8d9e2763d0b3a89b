/** Debian's name for the architecture of a builder or a target. */
export type Architecture = 'amd64' | 'arm64'

/** Debian's multiarch directory below /usr/lib. */
export const MULTIARCH: Record<Architecture, string> = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/** Converts node's `process.arch`. Returns undefined for an architecture that hangar does not support. */
export function debianArchitecture(nodeArch: string): Architecture | undefined {
  if (nodeArch === 'x64') return 'amd64'
  return nodeArch === 'arm64' ? 'arm64' : undefined
}
