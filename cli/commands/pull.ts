import { join } from 'node:path'
import type { Pulled } from '../../builder/publish/pull.ts'
import { short } from '../../images/digest.ts'
import { formatSize } from '../../lib/format.ts'
import { requireWritable } from '../../lib/writable-directory.ts'
import type { Command } from '../command.ts'
import { PLAIN_HTTP } from '../options.ts'

export interface PullFlags {
  readonly from: string
  readonly plainHttp?: true
}

export const pull: Command<PullFlags> = {
  name: 'pull',
  group: 'publish',
  arguments: '<host>',
  summary: 'copy a published image into the store and out/HOST',
  details: ['Refuses an image unless a signing key from the host file or from this machine signed it.'],
  options: [
    {
      flags: '--from <repository>',
      about: 'source: oci://REGISTRY/NAME[:TAG], or a directory (required)',
      required: true,
    },
    PLAIN_HTTP,
  ],
  examples: [
    {
      about: 'pull the newest published image of adama',
      line: 'npm run pull adama -- --from oci://registry.lab/hangar/adama',
    },
  ],
  async run(context, [name = ''], { from, plainHttp }) {
    const { pullHost } = await import('../../builder/publish/pull-host.ts')
    const { platformOf } = await import('../../hosts/schema/plan.ts')
    const { updates, ...host } = await context.hosts.load(name)
    const own = { ...host, platform: platformOf(host).name, trusted: updates.signingKeys }
    const transport = plainHttp ? 'plain-http' : 'https'
    requireWritable(join(context.project, 'out', host.name))
    const pulled = await pullHost(context, { host: own, from, transport })
    return pullText(host.name, pulled)
  },
}

function pullText(host: string, { from, generation, signed, facts, outputs }: Pulled): string {
  const { root, size } = signed
  const built = `built ${facts.built}${facts.revision === null ? '' : ` from ${facts.revision}`}`
  return [
    `${host}: generation ${generation} (${short(root)}), ${formatSize(size)} in out/${host}, ${outputs}`,
    `pulled from ${from}: ${built}, signed by a trusted key`,
    `next: npm run flash ${host} -- --no-build`,
  ].join('\n')
}
