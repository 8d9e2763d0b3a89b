import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostNames } from '../../cli/host-files/load.ts'
import { tempDirectory } from '../helpers/temp.ts'
import { PROJECT } from '../helpers/toolchain.ts'
import { readWorkflow, type Step, WORKFLOWS, workflowErrors, workflowText } from '../helpers/workflow.ts'

const projectFile = (name: string) => readFileSync(join(PROJECT, name), 'utf8')

/** GitHub starts bash for a step in this way: with pipefail only if the workflow names its shell. */
const SHELLS = { bash: ['--noprofile', '--norc', '-eo', 'pipefail'], unnamed: ['-e'] } as const

/** Returns the exit status of a step that runs `script`. */
function statusOf(shell: keyof typeof SHELLS, script: string, place: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return spawnSync('bash', [...SHELLS[shell], '-c', script], { ...place, stdio: 'ignore' }).status
}

const SECRETS: Readonly<Record<string, readonly string[]>> = {
  'images.yml': ['HANGAR_SIGNING_KEY'],
  'lock.yml': ['LOCK_TOKEN'],
  'nightly.yml': [],
}

describe('a workflow', () => {
  it.each(WORKFLOWS)('%s matches the schema of GitHub Actions', (name) => {
    expect(workflowErrors(name, workflowText(name))).toEqual([])
  })

  it('a workflow with a mistyped key does not match the schema', () => {
    const broken = workflowText('images.yml').replace('runs-on:', 'run-on:')
    expect(workflowErrors('images.yml', broken)).toContainEqual(expect.stringContaining("Unexpected value 'run-on'"))
  })

  it.each(WORKFLOWS)('%s runs only npm scripts that package.json defines', (name) => {
    const { scripts } = JSON.parse(projectFile('package.json'))
    const typed = [...workflowText(name).matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, script]) => script)
    expect(typed.length).toBeGreaterThan(0)
    expect(typed.filter((script) => !(script !== undefined && script in scripts))).toEqual([])
  })

  it.each(WORKFLOWS)('%s has no conditions and no loops in its scripts', (name) => {
    const scripts = Object.values(readWorkflow(name).jobs).flatMap(({ steps }) => steps.flatMap(({ run = '' }) => run))
    expect(scripts.filter((script) => /(^|[;\n]\s*)(if|for|while|until|case)\s/.test(script))).toEqual([])
  })

  it.each(WORKFLOWS)('%s fails when the first command of a pipe fails', (name) => {
    expect(statusOf('unnamed', 'false | cat')).toBe(0)
    expect(statusOf(readWorkflow(name).defaults?.run.shell ?? 'unnamed', 'false | cat')).not.toBe(0)
  })

  it.each(WORKFLOWS)('%s reads exactly the secrets that docs/ci.md describes for it', (name) => {
    const secrets = [...workflowText(name).matchAll(/secrets\.(\w+)/g)].map(([, secret]) => secret)
    expect([...new Set(secrets)]).toEqual(SECRETS[name])
    expect(secrets.filter((secret) => !projectFile('docs/ci.md').includes(`\`${secret}\``))).toEqual([])
  })
})

describe('images.yml', () => {
  const { jobs } = readWorkflow('images.yml')
  const steps = Object.entries(jobs).flatMap(([job, { steps: own }]) => own.map((step) => ({ job, step })))
  const stepsThat = (matches: (step: Step) => boolean) => steps.filter(({ step }) => matches(step))

  it('images.yml builds every host', () => {
    expect([...(jobs.image?.strategy?.matrix.host ?? [])].sort()).toEqual([...hostNames(PROJECT)].sort())
  })

  it('images.yml gives the signing key only to the two steps that build an image', () => {
    const given = stepsThat((step) => JSON.stringify(step).includes('secrets.'))
    const built = stepsThat(({ run }) => run?.startsWith('npm run build:image ') ?? false)
    expect(given).toEqual(built)
    expect(built).toHaveLength(2)
    const around = Object.values(jobs).flatMap(({ env = {} }) => Object.values(env))
    // A comparison with '' shows only whether the secret exists.
    expect(around.filter((value) => /secrets\.\w+(?! != '')\b/.test(value))).toEqual([])
  })

  it('images.yml checks out the base of a pull request in a folder that git ignores', () => {
    const bases = steps.flatMap(({ step }) =>
      step.uses?.startsWith('actions/checkout@') ? (step.with?.path ?? []) : [],
    )
    expect(bases).toHaveLength(1)
    const ignored = projectFile('.gitignore').split('\n')
    expect(bases.filter((path) => !ignored.includes(`${path.split('/')[0]}/`))).toEqual([])
  })

  describe('on a pull request', () => {
    const [comment, ...others] = stepsThat(({ run }) => run?.includes('gh pr comment') ?? false)

    it('comments on a pull request from one job, which alone may write comments and runs no code of the change', () => {
      expect(others).toEqual([])
      const mayWrite = Object.entries(jobs).filter(([, { permissions }]) => permissions?.['pull-requests'] === 'write')
      expect(mayWrite.map(([name]) => name)).toEqual([comment?.job])
      const { strategy, steps: own = [] } = jobs[comment?.job ?? ''] ?? {}
      expect([strategy, own.map(({ uses, run }) => uses ?? run)]).toEqual([
        undefined,
        ['actions/download-artifact@v4', comment?.step.run],
      ])
    })

    it('lists the changes of all hosts in one comment on the pull request', async () => {
      const directory = await tempDirectory()
      const programs = join(directory, 'bin')
      await mkdir(programs)
      await writeFile(
        join(programs, 'gh'),
        `#!/bin/sh\necho "$@" >'${directory}/arguments'\ncat >'${directory}/input'\n`,
      )
      execFileSync('chmod', ['+x', join(programs, 'gh')])
      for (const host of ['adama', 'starbuck']) await writeFile(join(directory, `${host}.md`), `**${host}**\n`)
      const script = (comment?.step.run ?? '').replace(/\$\{\{.*?\}\}/g, '7')
      const env = { PATH: `${programs}:${process.env.PATH}`, GITHUB_REPOSITORY: 'lab/hangar' }
      expect(statusOf('bash', script, { cwd: directory, env })).toBe(0)
      expect(readFileSync(join(directory, 'input'), 'utf8')).toBe('**adama**\n**starbuck**\n')
      expect(readFileSync(join(directory, 'arguments'), 'utf8')).toMatch(
        /^pr comment 7 --repo lab\/hangar --edit-last /,
      )
    })
  })
})

describe('nightly.yml', () => {
  const { suite } = readWorkflow('nightly.yml').jobs
  const scripts: Readonly<Record<string, string>> = JSON.parse(projectFile('package.json')).scripts
  /** The vitest project of a script, and the test files that the script names. */
  const coverageOf = (script: string) =>
    [...(scripts[script] ?? '').matchAll(/--project (\S+)((?: test\/\S+)*)/g)].map(([, name, files = '']) => ({
      project: name,
      files: files.trim(),
    }))
  const nightly = suite?.strategy?.matrix.suite ?? []

  it('nightly.yml starts every night without a person', () => {
    expect(workflowText('nightly.yml')).toMatch(/schedule:\n {4}- cron: '\d+ \d+ \* \* \*'/)
  })

  it('nightly.yml runs each suite of its list as an npm script', () => {
    expect(nightly.filter((script) => coverageOf(script).length === 0)).toEqual([])
    expect(suite?.steps.at(-1)?.run).toMatch(/ npm run \$\{\{ matrix\.suite \}\}$/)
  })

  it('nightly.yml runs every suite that npm test does not, except those that need a Dagger engine', () => {
    const run = ['test', ...nightly].flatMap(coverageOf)
    const isRun = (script: string) =>
      coverageOf(script).every(({ project, files }) =>
        run.some((other) => other.project === project && (other.files === '' || other.files === files)),
      )
    expect(Object.keys(scripts).filter((script) => !isRun(script))).toEqual(['test:dagger', 'bench:dagger'])
  })

  it('nightly.yml continues with the other suites when one fails', () => {
    expect(workflowText('nightly.yml')).toMatch(/fail-fast: false/)
  })
})

describe('.ci/run', () => {
  const commands = projectFile('.ci/run')
    .split('\n')
    .filter((line) => /^npm /.test(line))

  it(".ci/run runs the README's commands and npm test, and no longer suite", () => {
    expect(commands).toEqual(['npm ci', 'npm run build:image adama -- --no-frozen', 'npm test'])
  })

  it('.ci/run ends with npm test, whose last line is the number of tests', () => {
    expect(projectFile('.ci/run').trimEnd().split('\n').at(-1)).toBe('npm test')
  })
})
