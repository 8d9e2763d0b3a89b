import type { Command } from './command.ts'

/** The words and flags that a command accepts. */
export interface Syntax {
  /** `['store', 'verify']`; empty for hangar itself. */
  readonly path: readonly string[]
  /** Names of the arguments: `['HOST']`. */
  readonly words: readonly string[]
  readonly flags: readonly Flag[]
}

export interface Flag {
  /** `--keep`, `--no-frozen`. */
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

/** The syntax of the command that a command line names. Without a known command: of the parent word, or of hangar. */
export function syntaxAt(commands: readonly Command[], args: readonly string[]): Syntax {
  const all = commands.map(syntaxOf)
  const named = all.find(({ path }) => path.every((word, index) => word === args[index]))
  if (named !== undefined) return named
  const [first = ''] = args
  const isParent = all.some(({ path }) => path[0] === first)
  return { path: isParent ? [first] : [], words: [], flags: [] }
}
