import { countText } from '../../builder/publish/amount.ts'
import type { Published } from '../../builder/publish/publish.ts'
import { short } from '../../images/digest.ts'
import { formatSize } from '../../lib/format.ts'
import type { Command } from '../command.ts'
import { PLAIN_HTTP } from '../options.ts'

export interface PublishFlags {
  readonly to: string
  readonly generation?: string
  readonly plainHttp?: true
}

export const publish: Command<PublishFlags> = {
  name: 'publish',
  group: 'publish',
  arguments: '<host>',
  summary: 'copy a generation to a remote repository',
  details: [
    'A remote repository is a repository of an OCI registry, or a directory. Blobs that it has are not sent again.',
    'Uses the login of podman or docker, or $HANGAR_REGISTRY_USER and $HANGAR_REGISTRY_PASSWORD.',
  ],
  options: [
    {
      flags: '--to <repository>',
      about: 'destination: oci://REGISTRY/NAME[:TAG], or a directory (required)',
      required: true,
    },
    { flags: '--generation <number>', about: 'number of the generation (default: the newest)' },
    PLAIN_HTTP,
  ],
  examples: [
    {
      about: 'publish the newest generation of adama',
      line: 'npm run publish adama -- --to oci://registry.lab/hangar/adama',
    },
    { about: 'publish generation 3 to a USB stick', line: 'npm run publish adama -- --to /mnt/stick --generation 3' },
  ],
  async run(context, [name = ''], { to, generation, plainHttp }) {
    const { parseNumber } = await import('../../builder/generations/find.ts')
    const { publishHost } = await import('../../builder/publish/publish-host.ts')
    const host = (await context.hosts.load(name)).name
    const number = generation === undefined ? undefined : parseNumber(generation, host)
    const transport = plainHttp ? 'plain-http' : 'https'
    return publishText(host, await publishHost(context, { host, to, number, transport }))
  },
}

function publishText(host: string, { where, generation, tags, digest, sent, there }: Published): string {
  const { number, root } = generation
  const kept = there.count === 0 ? '' : `; already there: ${countText(there.count)}, ${formatSize(there.bytes)}`
  return [
    `${host}: published generation ${number} (${short(root)}) to ${where}:${tags.join(' and :')}`,
    `sent ${countText(sent.count)}, ${formatSize(sent.bytes)}${kept}; digest of the image: @sha256:${digest}`,
    `next: npm run pull ${host} -- --from '${where}:${tags.at(-1)}'`,
  ].join('\n')
}
