import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { childProgram } from '../child-program.ts'

/** `dagger session` as in cmd/dagger/session.go: prints one line on stdout, and exits when stdin ends. */
const PROGRAM = `
import { fakeSession } from './test/helpers/fake-dagger/server.ts'
const [, , scratch, command] = process.argv
if (command !== 'session') throw new Error('the fake CLI supports only sessions')
process.stderr.write('connecting to nothing\\n')
const session = await fakeSession(scratch, { print: (line) => process.stderr.write(line + '\\n') })
const end = async () => {
  await session.close()
  process.exit(0)
}
process.on('SIGTERM', end).on('SIGINT', end)
process.stdin.on('end', end).resume()
process.stdout.write(JSON.stringify({ port: session.port, session_token: session.token }) + '\\n')
`

/** A fake of Dagger's CLI (`_EXPERIMENTAL_DAGGER_CLI_BIN`) with a fake engine in it. */
export async function fakeCli(directory: string): Promise<string> {
  const scratch = join(directory, 'engine')
  mkdirSync(scratch)
  const program = await childProgram(PROGRAM, directory)
  return fakeProgram(directory, `exec '${process.execPath}' '${program}' '${scratch}' "$@"`)
}

/** A fake CLI that fails as one without an engine does. */
export function failingCli(directory: string, said: string, name = 'dagger'): string {
  return fakeProgram(directory, `echo '${said}' >&2; exit 1`, name)
}

/** Writes a shell script as an executable program. */
export function fakeProgram(directory: string, text: string, name = 'dagger'): string {
  const file = join(directory, name)
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
  return file
}
