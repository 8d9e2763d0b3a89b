import type { Command } from '../command.ts'
import { QUIET } from '../display/quiet.ts'
import { JSON_OUTPUT } from '../options.ts'
import { differenceText } from '../text/difference.ts'

export interface DiffFlags {
  readonly files: boolean
  readonly against?: string
  readonly markdown?: true
  readonly json?: true
}

export const diff: Command<DiffFlags> = {
  name: 'diff',
  group: 'generations',
  arguments: '<host> [numbers...]',
  summary: 'compare two generations of a host',
  details: [
    'Compares packages, containers, files, configuration and sizes. Without numbers, compares the newest',
    'generation with the one before; with one number, that generation with the newest one.',
  ],
  options: [
    { flags: '--no-files', about: 'skip the comparison of single files, which needs a sandbox' },
    { flags: '--against <directory>', about: 'compare out/HOST with an output directory of another checkout' },
    { flags: '--markdown', about: 'print Markdown for a pull request' },
    JSON_OUTPUT,
  ],
  examples: [
    { about: 'show what the last build changed', line: 'npm run diff adama' },
    { about: 'compare generations 3 and 7', line: 'npm run diff adama 3 7' },
  ],
  async run(context, [name = '', ...numbers], { files, against, json, markdown }) {
    const { openBuildContext } = await import('../../builder/context.ts')
    const { compare } = await import('../../builder/generations/compare.ts')
    const { selectPair } = await import('../../builder/generations/select-pair.ts')
    const host = (await context.hosts.load(name)).name
    const opened = await openBuildContext(json || markdown ? { ...context, reporter: QUIET } : context)
    const pair = selectPair(opened.store.root, { project: context.project, host, numbers, against })
    const difference = await compare(opened, { ...pair, files: files ? 'listed' : 'left out' })
    if (json) return JSON.stringify(difference, null, 2)
    const text = differenceText(host, difference)
    return markdown ? asMarkdown(text) : text
  },
}

/** Formats the text as Markdown: the first line in bold, the other lines as a diff block. */
function asMarkdown(text: string): string {
  const [head = '', ...rest] = text.split('\n')
  return [`**${head}**`, '', '```diff', ...rest.filter((line, at) => at > 0 || line !== ''), '```'].join('\n')
}
