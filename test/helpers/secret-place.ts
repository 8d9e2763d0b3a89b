import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decryptWith } from '../../builder/keys/age.ts'
import { hostOwnKeys, makeHostIdentity } from '../../builder/keys/host-identity.ts'
import { publicIdentityFile, publicIdentityText } from '../../images/identity/public-identity.ts'
import { parseSecretName, secretFile } from '../../images/secrets/secret-name.ts'
import { listReporter } from './reporter.ts'
import { PUBLIC_LINES } from './small-identity.ts'
import { tempDirectory } from './temp.ts'

/** A project with an owner, for secrets. `hosts` have identities. */
export async function secretPlace(...hosts: string[]) {
  const project = await tempDirectory()
  mkdirSync(join(project, 'hosts'))
  const reporter = listReporter()
  const context = { project, env: { XDG_CONFIG_HOME: join(project, 'config') }, reporter }
  for (const host of hosts) await makeHostIdentity(context, host)
  const keyFile = join(project, 'config/hangar/age_key')
  const directory = join(project, 'hosts/secrets')
  const ciphertext = (name: string) => readFileSync(join(project, secretFile(parseSecretName(name))), 'utf8')
  /** Decrypts a secret with each of a host's keys, as the host does; undefined when none of them can. */
  const asHost = async (host: string, name: string): Promise<string | undefined> => {
    const keys = JSON.parse(Buffer.from((await hostOwnKeys(context, host)) ?? '{}').toString())
    for (const { identity } of keys.age) {
      const text = await decryptWith(identity, ciphertext(name), { where: name, keyFile: host }).catch(() => undefined)
      if (text !== undefined) return text
    }
    return undefined
  }
  const files = () => (existsSync(directory) ? readdirSync(directory).sort() : [])
  return { context, project, reporter, keyFile, directory, ciphertext, asHost, files }
}

/** Gives a host the identity that it has when the host made its own: without an age key. */
export function ownIdentity(project: string, host: string): void {
  const identity = { format: 1 as const, ssh: PUBLIC_LINES.slice(0, 1), age: [] }
  writeFileSync(join(project, publicIdentityFile(host)), publicIdentityText(identity))
}
