/** A program that a container starts: its command, or the command of its health check. */
export interface ContainerProgram {
  readonly container: string
  /** A path in the container, or a name that podman looks up in {@link CONTAINER_PATH}. */
  readonly program: string
  /** Paths in its arguments that Node.js resolves: scripts and modules of npm packages. */
  readonly modules?: readonly string[]
  /** The directories of LD_LIBRARY_PATH. */
  readonly libraryPath: readonly string[]
}

/** The directories of PATH in every container. */
export const CONTAINER_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const

/** The programs that the first line of a script names: its interpreter, and the program that `env` starts. */
export function interpretersOf(script: string): string[] {
  const [, interpreter, rest = ''] = /^#!\s*(\S+)\s*(.*)$/.exec(script.split('\n')[0] ?? '') ?? []
  if (interpreter === undefined) return []
  if (!/\/env$/.test(interpreter)) return [interpreter]
  const [started] = rest.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-') && !word.includes('='))
  return started === undefined ? [interpreter] : [interpreter, started]
}
