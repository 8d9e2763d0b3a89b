import { Agent } from '../../flash/ssh/agent.ts'
import { type SshOptions, withSsh } from '../../flash/ssh/ssh.ts'
import { type ProgramRoot, programOf } from '../../flash/vm/program.ts'
import type { SshServer } from './ssh-server.ts'
import { OWNER } from './update-bench.ts'

/** The options that connect to a server as the host 'adama'. */
export function sshTo(programs: ProgramRoot, server: SshServer, other: Partial<SshOptions> = {}): SshOptions {
  const { port, hostKey, keyFile, agent } = server
  return {
    ...{ ssh: programOf(programs, 'ssh'), host: 'adama', at: { address: '127.0.0.1', port }, hostKeys: [hostKey] },
    ...{ keyFile, agent, signal: new AbortController().signal },
    ...other,
  }
}

/** Connects and asks for the status once. */
export function statusOver(options: SshOptions) {
  return withSsh(options, (remote) => new Agent(remote, OWNER).status())
}
