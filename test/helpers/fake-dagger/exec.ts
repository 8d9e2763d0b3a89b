import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DIES_WITH_PARENT, NAMESPACES, restrict } from '../../../builder/runners/sandbox.ts'
import type { Privilege } from '../../../images/derivation.ts'

export interface ExecMount {
  readonly kind: 'read-only' | 'writable' | 'memory'
  /** A directory on this machine, undefined for memory. */
  readonly source: string
  readonly target: string
}

export interface FakeExec {
  readonly root: string
  readonly mounts: readonly ExecMount[]
  readonly workdir: string
  readonly args: readonly string[]
  readonly stdin: string
  readonly privilege: Privilege
  /** Receives the output of the command in pieces. */
  readonly hear: (piece: string) => void
  /** Kills the command. */
  readonly signal: AbortSignal
}

export interface Executed {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const SETUP = `
set -eu
mount -t tmpfs engine "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay -o "lowerdir=$ROOT,upperdir=$WORK/upper,workdir=$WORK/work" root "$WORK/root"
cd "$WORK/root"
mkdir -p proc dev old
mount -t proc proc proc
mount --rbind /dev dev
while read -r kind target source; do
  mkdir -p ".$target"
  case $kind in
    memory) mount -t tmpfs -o mode=1777 memory ".$target" ;;
    *) mount --bind "$source" ".$target" ;;
  esac
  if [ "$kind" = read-only ]; then mount -o remount,bind,ro ".$target"; fi
done <<END
$MOUNTS
END
pivot_root . old
mkdir -p "$WORKDIR"
cd "$WORKDIR"
umount -l /old
exec "$@"
`

/** Runs a command with a root, mounts and variables similar to those of an engine. */
export async function executeInRoot(exec: FakeExec, scratch: string): Promise<Executed> {
  const work = await mkdtemp(join(scratch, 'exec-'))
  try {
    return await run(exec, work)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function run(exec: FakeExec, work: string): Promise<Executed> {
  const { root, mounts, workdir, args, stdin, privilege, hear, signal } = exec
  const inside = ['env', '-i', `PATH=${PATH}`, 'HOME=/root', '_DAGGER_OF_THE_ENGINE=1', ...args]
  const sandbox = ['unshare', ...NAMESPACES, 'sh', '-c', SETUP, 'engine', ...restrict(privilege), ...inside]
  const child = spawn('setpriv', [...DIES_WITH_PARENT, ...sandbox], {
    ...{ signal, killSignal: 'SIGKILL' },
    env: {
      PATH,
      WORK: work,
      ROOT: root,
      WORKDIR: workdir,
      MOUNTS: mounts.map(({ kind, target, source }) => `${kind} ${target} ${source}`).join('\n'),
    },
  })
  // The shell reads the list of mounts from a file, because standard input belongs to the command.
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (data) => {
      said[name] += String(data)
      hear(String(data))
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ exitCode: code ?? 128, ...said }))
  })
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
