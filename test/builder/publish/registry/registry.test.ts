import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeRepository, existing } from '../../../contracts/repository.ts'
import { startDebianRegistry } from '../../../helpers/debian-registry.ts'
import { whyNoIpv6 } from '../../../helpers/ipv6.ts'
import { repositoryAt } from '../../../helpers/registry-client.ts'
import { smallRegistry } from '../../../helpers/small-registry.ts'

const at = (port: number) => repositoryAt(port).repository

describeRepository("repository of Debian's registry", async () => {
  const { port, directory } = await startDebianRegistry()
  return {
    repository: at(port),
    tamper: ({ digest, size }) => {
      const file = join(directory, 'docker/registry/v2/blobs/sha256', digest.slice(0, 2), digest, 'data')
      writeFileSync(existing(file), 'x'.repeat(size))
    },
  }
})

if (whyNoIpv6() === undefined)
  describeRepository('repository of a registry with an IPv6 address', async () => {
    const registry = await smallRegistry('::1')
    return {
      repository: repositoryAt(registry.port, { address: '[::1]' }).repository,
      tamper: ({ digest, size }) => void registry.blobs.set(`sha256:${digest}`, Buffer.alloc(size, 'x')),
    }
  })

describeRepository('repository of a registry that resumes', async () => {
  const registry = await smallRegistry()
  return {
    repository: at(registry.port),
    tamper: ({ digest, size }) => void registry.blobs.set(`sha256:${digest}`, Buffer.alloc(size, 'x')),
  }
})
