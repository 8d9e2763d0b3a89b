import { type Command, GROUPS } from './command.ts'

const HELP_FLAGS = '-h, --help'

/** The top-level help: all commands by group, and the command to type next. */
export function topLevelHelp(commands: readonly Command[], next: string): string {
  const width = Math.max(...commands.map((command) => signature(command).length))
  const groups = Object.entries(GROUPS).map(([group, title]) => {
    const own = commands.filter((command) => command.group === group)
    return section(
      title,
      rows(
        own.map((command) => [signature(command), command.summary] as const),
        width,
      ),
    )
  })
  return [
    'Build immutable images for the machines of a home lab, and flash them to A/B slots.',
    '',
    'Usage: hangar <command> [arguments] [options]',
    ...groups.flat(),
    ...section('Options', rows([[HELP_FLAGS, 'show this help, or the help of a command']], width)),
    '',
    "See 'npm run hangar -- COMMAND --help' for the options and examples of a command.",
    "With npm, put options after '--': npm run hangar -- build adama --offline",
    '',
    `next: ${next}`,
  ].join('\n')
}

/** The help of one command. */
export function commandHelp(command: Command): string {
  const { summary, details, options, examples } = command
  const entries = [
    ...options.map(({ flags, about }) => [flags, about] as const),
    [HELP_FLAGS, 'show this help'] as const,
  ]
  return [
    sentence(summary),
    '',
    `Usage: hangar ${[command.name, command.arguments, '[options]'].filter(Boolean).join(' ')}`,
    ...(details.length === 0 ? [] : ['', ...details]),
    ...section('Options', rows(entries)),
    ...section(
      examples.length === 1 ? 'Example' : 'Examples',
      examples.flatMap(({ about, line }, index) => [...(index === 0 ? [] : ['']), `# ${about}`, line]),
    ),
  ].join('\n')
}

/** The help of a parent word such as `store`, which is not a command itself. */
export function parentHelp(name: string, commands: readonly Command[]): string {
  const own = commands.filter((command) => command.name.startsWith(`${name} `))
  return [
    `Usage: hangar ${name} <command> [options]`,
    ...section('Commands', rows(own.map((command) => [signature(command), command.summary] as const))),
  ].join('\n')
}

function signature(command: Command): string {
  return [command.name, command.arguments].filter(Boolean).join(' ')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', `${title}:`, ...lines.map((line) => (line === '' ? '' : `  ${line}`))]
}

function rows(entries: readonly (readonly [string, string])[], atLeast = 0): string[] {
  const width = Math.max(atLeast, ...entries.map(([name]) => name.length))
  return entries.map(([name, about]) => `${name.padEnd(width)}  ${about}`)
}
