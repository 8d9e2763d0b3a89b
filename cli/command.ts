import type { CliContext } from '../builder/context.ts'
import type { Host } from '../overlays/host-facts.ts'
import type { LabFacts } from '../overlays/lab-facts.ts'

/** What a command receives from the session that runs it. */
export interface CommandContext extends CliContext {
  readonly hosts: HostFiles
  /** Ends the live display, so that the command can write to the terminal itself. */
  leaveTerminal(): void
}

/** The host files and the lab file of the project. */
export interface HostFiles {
  /** Names of all hosts, sorted. */
  names(): string[]
  /** A host with all values, also those that its file leaves to the lab. */
  load(name: string): Promise<Host>
  /** The facts that the hosts share. */
  lab(): Promise<LabFacts>
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
  /** The flag in commander's notation: `--keep <n>`, `--no-build`. */
  readonly flags: string
  /**
   * The help of the option. It begins with a lower-case verb or noun, gives the default in parentheses, and has no
   * final period.
   */
  readonly about: string
  readonly required?: true
}

export interface Example {
  /** What the example does, as a verb phrase: `build the image of adama`. */
  readonly about: string
  /** The complete command line: `npm run build:image adama -- --offline`. */
  readonly line: string
}

/**
 * One command and its help. Every start of hangar loads all command modules, so `run` imports the use case only when
 * the command runs, and also the texts that need more than `lib/`.
 */
export interface Command<Flags extends object = object> {
  /** The words that the user types after `hangar`: `build`, `store verify`. */
  readonly name: string
  readonly group: keyof typeof GROUPS
  /** The arguments in the notation of the help: `<host> [numbers...]`. */
  readonly arguments: string
  /** The line in the top-level help. It begins with a verb. */
  readonly summary: string
  /** Further sentences for the command's own help, one per line. */
  readonly details: readonly string[]
  readonly options: readonly Option[]
  readonly examples: readonly Example[]
  /** Runs the command and returns the text to print. */
  run(context: CommandContext, words: readonly string[], flags: Flags): Promise<string | undefined>
}
