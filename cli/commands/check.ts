import type { LabProblem } from '../../hosts/schema/lab.ts'
import type { Command, CommandContext } from '../command.ts'
import type { ReadLab } from '../read-lab.ts'

export const check: Command = {
  name: 'check',
  group: 'build',
  arguments: '',
  summary: 'check the lab and all hosts without building',
  details: [
    'Checks hosts/lab.ts and all host files, alone and together, and reports every mistake.',
    'Prints what each host has, and what its services may use of it.',
  ],
  options: [],
  examples: [{ about: 'check the whole lab', line: 'npm run check' }],
  async run(context) {
    const { readLab } = await import('../read-lab.ts')
    const { budgetsText, mistakesError } = await import('../text/check.ts')
    const read = await readLab(context)
    const { budgets, errors } = await checkHosts(context, read)
    const mistakes = [...(await errorsOf(context, read.problems)), ...errors]
    const text = budgetsText(read.lab, budgets)
    if (mistakes.length === 0) return `${text}\nthe lab has no mistakes`
    if (budgets.size > 0) context.reporter.notice(text)
    throw mistakesError(mistakes)
  },
}

/** The budgets of the hosts that can work alone, and the errors of the others. */
async function checkHosts({ hosts }: CommandContext, read: ReadLab) {
  const { planOf } = await import('../../hosts/schema/plan.ts')
  const results = await Promise.allSettled(
    hosts.names().map(async (name) => [name, planOf(await read.host(name), read.lab).budget()] as const),
  )
  return {
    budgets: new Map(results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))),
    errors: results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : [])),
  }
}

async function errorsOf({ project }: CommandContext, problems: readonly LabProblem[]) {
  const { withLine } = await import('../host-files/with-line.ts')
  return problems.map(({ error }) => withLine(error, project))
}
