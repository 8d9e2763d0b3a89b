import { plainReporter } from './display/plain.ts'
import type { ClosableReporter } from './display/steps.ts'
import { terminalReporter } from './display/terminal.ts'

/**
 * A live display on a terminal, plain lines elsewhere. A terminal without a size (0 columns or rows, as a serial console
 * or a program's pty may have) cannot show a live display.
 */
export function openReporter({
  stdout,
  stderr,
  env,
}: Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>): ClosableReporter {
  const clock = { now: () => performance.now() }
  // Ignores a closed pipe, as in `hangar … | head`, so that the build continues.
  for (const stream of [stdout, stderr]) stream.on('error', ignoreClosedPipe)
  if (!stdout.isTTY || env.TERM === 'dumb' || !hasSize(stdout))
    return plainReporter((line) => void stdout.write(`${line}\n`), clock)
  const screen = {
    write: (text: string) => void stdout.write(text),
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    color: !env.NO_COLOR,
  }
  return terminalReporter(screen, clock)
}

function hasSize({ columns, rows }: NodeJS.WriteStream): boolean {
  return columns > 0 && rows > 0
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
