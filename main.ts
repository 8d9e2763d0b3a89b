import type { Command } from './cli/command.ts'
import { build } from './cli/commands/build.ts'
import { check } from './cli/commands/check.ts'
import { diff } from './cli/commands/diff.ts'
import { exportImage } from './cli/commands/export.ts'
import { flash } from './cli/commands/flash.ts'
import { gc } from './cli/commands/gc.ts'
import { generations } from './cli/commands/generations.ts'
import { init } from './cli/commands/init.ts'
import { lock } from './cli/commands/lock.ts'
import { pin } from './cli/commands/pin.ts'
import { publish } from './cli/commands/publish.ts'
import { pull } from './cli/commands/pull.ts'
import { revert } from './cli/commands/revert.ts'
import { status } from './cli/commands/status.ts'
import { storeVerify } from './cli/commands/store-verify.ts'
import { unpin } from './cli/commands/unpin.ts'
import { vm } from './cli/commands/vm.ts'
import { runProgram } from './cli/program.ts'
import { withSession } from './cli/session.ts'

/** All commands, in the order of the top-level help. Their use cases are imported when a command runs. */
export const COMMANDS: readonly Command[] = [
  ...[build, check, lock, vm],
  ...[init, flash, revert, status],
  ...[generations, diff, pin, unpin, gc],
  ...[publish, pull, exportImage],
  ...[storeVerify],
]

/** Runs the command that the command line names. */
export async function main(args: readonly string[], project: string): Promise<void> {
  await withSession(project, async (session) => {
    const text = await runProgram(COMMANDS, session, args)
    if (text !== undefined) session.print(text)
  })
}
