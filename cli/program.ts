import { CommanderError, Command as Parser, Option as ParserOption } from 'commander'
import type { Command, CommandContext } from './command.ts'
import { commandHelp, parentHelp, topLevelHelp } from './help.ts'
import { nextStep } from './next-step.ts'
import { refuseSwallowedFlags } from './npm-traps.ts'
import { syntaxAt, syntaxOf } from './syntax.ts'
import { usageError } from './usage.ts'

/** Parses a command line, runs the command it names, and returns the text to print. */
export async function runProgram(
  commands: readonly Command[],
  context: CommandContext,
  args: readonly string[],
): Promise<string | undefined> {
  const help = () => topLevelHelp(commands, nextStep(context.project, context.hosts.names()))
  if (args.length === 0) return help()
  const syntax = syntaxAt(commands, args)
  const everyFlag = commands.flatMap((command) => syntaxOf(command).flags)
  refuseSwallowedFlags(context.env, syntax, args, everyFlag)
  let text: string | undefined
  const parser = parserOf(commands, help, async (command, words, flags) => {
    text = await command.run(context, words, flags)
  })
  await parser.parseAsync([...args], { from: 'user' }).catch((error) => {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return
    const isParentAlone = error.code === 'commander.help'
    const problem = isParentAlone ? `missing command after '${args.join(' ')}'` : error.message
    throw usageError(problem, context.env, syntax)
  })
  return text
}

type Run = (command: Command, words: readonly string[], flags: object) => Promise<void>

/** A commander parser for all commands. It prints help only on request, and throws all errors. */
export function parserOf(commands: readonly Command[], help: () => string, run: Run): Parser {
  const program = new Parser('hangar')
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .configureHelp({ formatHelp: () => `${help()}\n` })
  for (const command of commands) {
    const path = command.name.split(' ')
    const parent = path.length === 1 ? program : parentOf(program, path[0] ?? '', commands)
    const parser = parent.command(`${path.at(-1)} ${command.arguments}`.trim())
    parser.configureHelp({ formatHelp: () => `${commandHelp(command)}\n` })
    for (const { flags, about, required } of command.options) {
      parser.addOption(new ParserOption(flags, about).makeOptionMandatory(required ?? false))
    }
    if (command.surplus !== undefined) parser.allowExcessArguments().allowUnknownOption()
    parser.action(() => run(command, parser.args, parser.opts()))
  }
  return program
}

function parentOf(program: Parser, name: string, commands: readonly Command[]): Parser {
  const known = program.commands.find((each) => each.name() === name)
  return known ?? program.command(name).configureHelp({ formatHelp: () => `${parentHelp(name, commands)}\n` })
}
