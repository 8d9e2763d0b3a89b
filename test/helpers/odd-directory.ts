import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { toolchainDirectory } from '../../builder/toolchain/toolchain.ts'
import { programOf } from '../../flash/vm/program.ts'
import { listReporter } from './reporter.ts'
import { storeWithToolchain } from './toolchain.ts'

/** Runs setfacl or getfacl from the locked toolchain. Returns its output. */
export async function aclProgram(name: 'setfacl' | 'getfacl', args: readonly string[]): Promise<string> {
  const { store, fetch, toolchain } = await storeWithToolchain()
  const directory = await toolchainDirectory(toolchain, store, fetch, listReporter())
  const program = programOf({ directory, architecture: toolchain.architecture }, name)
  return execFileSync(program.file, [...program.args, ...args], { encoding: 'utf8' })
}

/** Makes a directory whose set-group-id bit and default ACL change the group and the mode of every new file in it. */
export async function oddDirectory(parent: string): Promise<string> {
  const directory = join(parent, 'odd')
  mkdirSync(directory)
  chownSync(directory, 0, 1000)
  chmodSync(directory, 0o2777)
  await aclProgram('setfacl', ['-d', '-m', 'u::rwx,g::rwx,o::---,u:1000:rwx', directory])
  return directory
}
