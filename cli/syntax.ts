import type { Command } from './command.ts'

/** The words and flags that a command accepts. */
export interface Syntax {
  /** The words of the command: `['store', 'verify']`. Empty for hangar itself. */
  readonly path: readonly string[]
  /** Names of the arguments: `['HOST']`. */
  readonly words: readonly string[]
  readonly flags: readonly Flag[]
}

export interface Flag {
  /** The flag as users type it: `--keep`, `--no-frozen`. */
  readonly long: string
  /** Name of the flag's value; undefined for a flag without a value. */
  readonly value: string | undefined
}

export function syntaxOf({ name, arguments: words, options }: Command): Syntax {
  return {
    path: name.split(' '),
    words: [...words.matchAll(/[\w-]+/g)].map(([word]) => word.toUpperCase()),
    flags: options.map(({ flags }) => ({ long: flags.split(' ')[0] ?? '', value: /<(.+)>/.exec(flags)?.[1] })),
  }
}

/**
 * The syntax of the command that a command line names. If the command is unknown, the syntax of its parent word or of
 * hangar itself.
 */
export function syntaxAt(commands: readonly Command[], args: readonly string[]): Syntax {
  const all = commands.map(syntaxOf)
  // The longest name counts: `secrets set` is a command, and `secrets` too.
  const named = all
    .filter(({ path }) => path.every((word, index) => word === args[index]))
    .sort((a, b) => b.path.length - a.path.length)[0]
  if (named !== undefined) return named
  const [first = ''] = args
  const isParent = all.some(({ path }) => path[0] === first)
  return { path: isParent ? [first] : [], words: [], flags: [] }
}
