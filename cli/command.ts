import type { CliContext } from '../builder/context.ts'
import type { Host } from '../overlays/host-facts.ts'

/** What a command receives from the session that runs it. */
export interface CommandContext extends CliContext {
  readonly hosts: HostFiles
  /** Ends the live display, so that the command can write to the terminal itself. */
  leaveTerminal(): void
}

/** The host files of the project. */
export interface HostFiles {
  /** Names of all hosts, sorted. */
  names(): string[]
  load(name: string): Promise<Host>
}

/** Titles of the groups in the top-level help, in order. */
export const GROUPS = {
  build: 'Build images',
  update: 'Set up and update hosts',
  generations: 'Compare and keep generations',
  publish: 'Publish images',
  store: 'Check the store',
} as const

export interface Option {
  /** As commander parses it: `--keep <n>`, `--no-build`. */
  readonly flags: string
  /** Begins with a lower-case verb or noun, gives the default in parentheses, has no trailing period. */
  readonly about: string
  readonly required?: true
}

export interface Example {
  /** A verb phrase: `build the image of adama`. */
  readonly about: string
  /** The complete command line: `npm run build:image adama -- --offline`. */
  readonly line: string
}

/**
 * One command: what its help says and what it does. `run` imports the use case, and texts that need more than `lib/`,
 * when the command runs: every start of hangar loads all command modules.
 */
export interface Command<Flags extends object = object> {
  /** As typed after `hangar`: `build`, `store verify`. */
  readonly name: string
  readonly group: keyof typeof GROUPS
  /** As usage shows them: `<host> [numbers...]`. */
  readonly arguments: string
  /** One line for the top-level help; begins with a verb. */
  readonly summary: string
  /** Further sentences for the command's own help, one per line. */
  readonly details: readonly string[]
  readonly options: readonly Option[]
  readonly examples: readonly Example[]
  /** Runs the command and returns the text to print. */
  run(context: CommandContext, words: readonly string[], flags: Flags): Promise<string | undefined>
}
