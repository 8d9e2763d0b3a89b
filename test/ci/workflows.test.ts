import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostNames } from '../../cli/host-files/load.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import { complaints, readWorkflow, type Step, WORKFLOWS, workflowText } from '../helpers/workflow.ts'

const projectFile = (name: string) => readFileSync(join(PROJECT, name), 'utf8')

/** How GitHub starts a step's script: it says the options of `pipefail` only where a workflow names its shell. */
const SHELLS = { bash: ['--noprofile', '--norc', '-eo', 'pipefail'], unspoken: ['-e'] } as const

/** The status with which a step ends that runs a script. */
function statusOf(shell: keyof typeof SHELLS, script: string, place: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return spawnSync('bash', [...SHELLS[shell], '-c', script], { ...place, stdio: 'ignore' }).status
}

describe('a workflow', () => {
  it.each(WORKFLOWS)('%s is one by the schema of those who run it', (name) => {
    expect(complaints(name, workflowText(name))).toEqual([])
  })

  it('would not be one with a mistyped key', () => {
    const broken = workflowText('images.yml').replace('runs-on:', 'run-on:')
    expect(complaints('images.yml', broken)).toContainEqual(expect.stringContaining("Unexpected value 'run-on'"))
  })

  it.each(WORKFLOWS)('%s runs only what an owner can type', (name) => {
    const { scripts } = JSON.parse(projectFile('package.json'))
    const typed = [...workflowText(name).matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, script]) => script)
    expect(typed.length).toBeGreaterThan(0)
    expect(typed.filter((script) => !(script !== undefined && script in scripts))).toEqual([])
  })

  it.each(WORKFLOWS)('%s decides and repeats nothing by itself', (name) => {
    const scripts = Object.values(readWorkflow(name).jobs).flatMap(({ steps }) => steps.flatMap(({ run = '' }) => run))
    expect(scripts.filter((script) => /(^|[;\n]\s*)(if|for|while|until|case)\s/.test(script))).toEqual([])
  })

  it.each(WORKFLOWS)('%s is red where what writes into a pipe fails', (name) => {
    expect(statusOf('unspoken', 'false | cat')).toBe(0)
    expect(statusOf(readWorkflow(name).defaults?.run.shell ?? 'unspoken', 'false | cat')).not.toBe(0)
  })

  it.each(WORKFLOWS)('%s reads no secret of which docs/ci.md does not tell', (name) => {
    const secrets = [...workflowText(name).matchAll(/secrets\.(\w+)/g)].map(([, secret]) => secret)
    expect(secrets.length).toBeGreaterThan(0)
    expect(secrets.filter((secret) => !projectFile('docs/ci.md').includes(`\`${secret}\``))).toEqual([])
  })
})

describe('images.yml', () => {
  const { jobs } = readWorkflow('images.yml')
  const steps = Object.entries(jobs).flatMap(([job, { steps: own }]) => own.map((step) => ({ job, step })))
  const stepsThat = (matches: (step: Step) => boolean) => steps.filter(({ step }) => matches(step))

  it('builds every host', () => {
    expect([...(jobs.image?.strategy?.matrix.host ?? [])].sort()).toEqual([...hostNames(PROJECT)].sort())
  })

  it('gives the signing key to the steps that build an image, and to nothing else', () => {
    const given = stepsThat((step) => JSON.stringify(step).includes('secrets.'))
    const built = stepsThat(({ run }) => run?.startsWith('npm run build:image ') ?? false)
    expect(given).toEqual(built)
    expect(built).toHaveLength(2)
    const around = Object.values(jobs).flatMap(({ env = {} }) => Object.values(env))
    // Whether there is one is no secret.
    expect(around.filter((value) => /secrets\.\w+(?! != '')\b/.test(value))).toEqual([])
  })

  it('puts what a change is compared with where git does not see it', () => {
    const bases = steps.flatMap(({ step }) =>
      step.uses?.startsWith('actions/checkout@') ? (step.with?.path ?? []) : [],
    )
    expect(bases).toHaveLength(1)
    const ignored = projectFile('.gitignore').split('\n')
    expect(bases.filter((path) => !ignored.includes(`${path.split('/')[0]}/`))).toEqual([])
  })

  describe('on a pull request', () => {
    const [comment, ...others] = stepsThat(({ run }) => run?.includes('gh pr comment') ?? false)

    it('comments from one job for all hosts, which alone may and runs nothing of the change', () => {
      expect(others).toEqual([])
      const mayWrite = Object.entries(jobs).filter(([, { permissions }]) => permissions?.['pull-requests'] === 'write')
      expect(mayWrite.map(([name]) => name)).toEqual([comment?.job])
      const { strategy, steps: own = [] } = jobs[comment?.job ?? ''] ?? {}
      expect([strategy, own.map(({ uses, run }) => uses ?? run)]).toEqual([
        undefined,
        ['actions/download-artifact@v4', comment?.step.run],
      ])
    })

    it('says in one comment what changes in each host', async () => {
      const directory = await tempDirectory()
      const programs = join(directory, 'bin')
      await mkdir(programs)
      await writeFile(join(programs, 'gh'), `#!/bin/sh\necho "$@" >'${directory}/asked'\ncat >'${directory}/said'\n`)
      execFileSync('chmod', ['+x', join(programs, 'gh')])
      for (const host of ['adama', 'starbuck']) await writeFile(join(directory, `${host}.md`), `**${host}**\n`)
      const script = (comment?.step.run ?? '').replace(/\$\{\{.*?\}\}/g, '7')
      const env = { PATH: `${programs}:${process.env.PATH}`, GITHUB_REPOSITORY: 'lab/hangar' }
      expect(statusOf('bash', script, { cwd: directory, env })).toBe(0)
      expect(readFileSync(join(directory, 'said'), 'utf8')).toBe('**adama**\n**starbuck**\n')
      expect(readFileSync(join(directory, 'asked'), 'utf8')).toMatch(/^pr comment 7 --repo lab\/hangar --edit-last /)
    })
  })
})
