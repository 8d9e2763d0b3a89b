import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../errors.ts'

export interface EditRequest {
  readonly env: NodeJS.ProcessEnv
  /** The name of the file, which the editor shows. */
  readonly name: string
  readonly text: string
  readonly signal: AbortSignal
  /** Directories for the file; the first one that is in memory counts. */
  readonly places?: readonly string[]
}

/**
 * Lets the user edit a text in $VISUAL or $EDITOR. The file is in memory, in a directory that only the user can enter, and
 * is removed when hangar ends, also after a signal.
 */
export async function editPrivately({ env, name, text, signal, places = placesOf(env) }: EditRequest): Promise<string> {
  const editor = env.VISUAL || env.EDITOR
  if (!editor)
    throw new UserError('usage', 'cannot start an editor: neither VISUAL nor EDITOR is set', {
      hint: 'set one of them, for example: EDITOR=nano npm run secrets edit NAME',
    })
  const directory = mkdtempSync(join(placeInMemory(places), 'hangar-'))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    const file = join(directory, name)
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    await runEditor(editor, file, env, signal)
    return readFileSync(file, 'utf8')
  } finally {
    process.off('exit', remove)
    remove()
  }
}

function placesOf({ XDG_RUNTIME_DIR: own }: NodeJS.ProcessEnv): string[] {
  return [...(own ? [own] : []), '/dev/shm']
}

/** `TMPFS_MAGIC` of statfs(2). */
const TMPFS = 0x01021994

/** A disk could keep the text after the file is removed. */
function placeInMemory(places: readonly string[]): string {
  const found = places.find((place) => existsSync(place) && statfsSync(place).type === TMPFS)
  if (found !== undefined) return found
  throw new UserError('secret', `cannot edit a secret: none of these directories is in memory: ${places.join(', ')}`, {
    hint: 'set XDG_RUNTIME_DIR to a directory on a tmpfs; or replace the whole value: npm run secrets set NAME',
  })
}

/** Starts the editor by the shell, as git does, because the variable may contain options. */
async function runEditor(editor: string, file: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'editor', file], { env, stdio: 'inherit', signal })
  const ended = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, name) => resolve(name ?? String(code)))
  })
  signal.throwIfAborted()
  if (ended === '0') return
  throw new UserError('usage', `the secret is unchanged: the editor '${editor}' ended with ${ended}`, {
    hint: 'check EDITOR and VISUAL, and run the same command again',
  })
}
