import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramRoot, programOf } from '../../flash/vm/program.ts'
import { MULTIARCH } from '../../images/architecture.ts'

/** Programs in PATH that need nothing but their own libraries. */
const PLAIN = ['age', 'jq', 'shellcheck', 'ssh-keygen', 'zstd']

/** The names that `writeWrappers` knows. */
export const WRAPPED = [...PLAIN, 'busybox', 'cc', 'git', 'openssl', 'sshd']

/**
 * Writes a script for each program of an unpacked root into a directory for PATH. It starts the program with the root's own
 * loader and libraries, as `programOf` does. Compilers, git and sshd start other programs of their own, which need scripts,
 * too.
 */
export function writeWrappers(root: ProgramRoot, directory: string): void {
  const inside = (path: string) => join(root.directory, path)
  const script = (path: string, lines: readonly string[]) => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 })
  }
  const start = starter(root)
  for (const name of PLAIN) script(name, [execOf(start(`usr/bin/${name}`))])
  symlinkSync(inside('usr/bin/busybox'), join(directory, 'busybox'))
  script('openssl', [
    `OPENSSL_CONF=${quoted(inside('etc/ssl/openssl.cnf'))}; export OPENSSL_CONF`,
    execOf(start('usr/bin/openssl')),
  ])
  writeCompiler(root, directory, script)
  writeGit(root, directory, script)
  writeServer(root, directory, script)
}

type Script = (path: string, lines: readonly string[]) => void

/** The words that start a program of the root, for a shell. */
function starter(root: ProgramRoot): (path: string, argv0?: string) => string {
  const { file, args } = programOf(root, 'jq')
  return (path, argv0 = '"$0"') =>
    [quoted(file), ...args.slice(0, -1).map(quoted), '--argv0', argv0, quoted(join(root.directory, path))].join(' ')
}

function execOf(words: string): string {
  return `exec ${words} "$@"`
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/** What the compiler makes runs with the root's libraries, which may be newer than those of this machine. */
function writeCompiler(root: ProgramRoot, directory: string, script: Script): void {
  const start = starter(root)
  const libexec = `usr/libexec/gcc/${MULTIARCH[root.architecture]}/14`
  for (const name of ['as', 'ld']) script(`compiler/${name}`, [execOf(start(`usr/bin/${name}`))])
  for (const name of ['cc1', 'collect2']) script(`compiler/${name}`, [execOf(start(`${libexec}/${name}`))])
  const { file, args } = programOf(root, 'gcc')
  const options = [`-B${directory}/compiler/`, `--sysroot=${root.directory}`, `-Wl,--dynamic-linker=${file}`]
  const libraries = `-Wl,-rpath,${args[1]}`
  script('cc', [
    `GCC_EXEC_PREFIX=${quoted(`${root.directory}/usr/lib/gcc/`)}; export GCC_EXEC_PREFIX`,
    `exec ${start('usr/bin/gcc')} ${[...options, libraries].map(quoted).join(' ')} "$@"`,
  ])
}

function writeGit(root: ProgramRoot, directory: string, script: Script): void {
  const variables = [
    `GIT_EXEC_PATH=${quoted(join(directory, 'git-core'))} GIT_TEMPLATE_DIR=${quoted(join(root.directory, 'usr/share/git-core/templates'))}`,
    'export GIT_EXEC_PATH GIT_TEMPLATE_DIR',
  ]
  for (const name of ['git', 'git-upload-pack', 'git-receive-pack']) {
    script(`git-core/${name}`, [...variables, execOf(starter(root)('usr/bin/git', name))])
  }
  symlinkSync('git-core/git', join(directory, 'git'))
}

/** The server wants the user 'sshd', whom its package would have created. Only its own processes see this user. */
function writeServer(root: ProgramRoot, directory: string, script: Script): void {
  const start = starter(root)
  const users = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : ''
  const hasUser = /^sshd:/m.test(users)
  const added = hasUser ? users : `${users.trimEnd()}\nsshd:x:64999:65534::/run/sshd:/usr/sbin/nologin\n`
  writeFileSync(join(directory, 'passwd'), added)
  for (const name of ['sshd-session', 'sshd-auth']) script(name, [execOf(start(`usr/lib/openssh/${name}`))])
  const paths = { SshdSessionPath: 'sshd-session', SshdAuthPath: 'sshd-auth' }
  const options = Object.entries(paths).map(([name, file]) => `-o ${quoted(`${name}=${join(directory, file)}`)}`)
  const enter = `unshare --mount --propagation private sh -ec 'mount --bind "$1" /etc/passwd; shift; exec "$@"' sshd`
  script('sshd', [
    `exec ${enter} ${quoted(join(directory, 'passwd'))} ${start('usr/sbin/sshd')} ${options.join(' ')} "$@"`,
  ])
}
