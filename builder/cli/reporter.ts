import { plainReporter } from '../report/plain.ts'
import { terminalReporter } from '../report/terminal.ts'

/** Live where a person looks on, plain lines elsewhere. */
export function openReporter() {
  const clock = { now: () => performance.now() }
  const { stdout } = process
  // Whoever reads may stop reading: a pipe that closes is no failure of the build.
  stdout.on('error', () => {})
  if (!stdout.isTTY || process.env.TERM === 'dumb') return plainReporter((line) => void stdout.write(`${line}\n`), clock)
  return terminalReporter({ write: (text) => void stdout.write(text), get columns() { return stdout.columns } }, clock)
}
