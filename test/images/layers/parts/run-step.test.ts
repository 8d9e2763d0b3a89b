import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileSteps } from '../../../helpers/compile.ts'
import { tempDirectory } from '../../../helpers/temp.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const PARTS = join(PROJECT, 'images/layers/parts')

/** Runs a step with this body, and returns its status and its output. */
async function run(body: string) {
  const directory = await tempDirectory()
  const imports = [
    `import { runStep } from '${PARTS}/run-step.ts'`,
    `import { exec } from '${PARTS}/exec.ts'`,
    `import { Refusal } from '${join(PROJECT, 'images/refusal.ts')}'`,
  ]
  writeFileSync(`${directory}/step.ts`, `${imports.join('\n')}\nawait runStep(async () => {\n${body}\n})\n`)
  const { step = '' } = await compileSteps(PROJECT, { step: `${directory}/step.ts` })
  writeFileSync(`${directory}/step.mjs`, step)
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${directory}/step.mjs`], { encoding: 'utf8' })
  return { status, said: `${stdout}${stderr}` }
}

describe('runStep', () => {
  it('runs the step of every layer', () => {
    const layers = join(PROJECT, 'images/layers')
    const steps = readdirSync(layers)
      .map((name) => join(layers, name, 'step.ts'))
      .filter((path) => existsSync(path))
    expect(steps.length).toBeGreaterThan(5)
    expect(steps.filter((path) => !/^await runStep\(/m.test(readFileSync(path, 'utf8')))).toEqual([])
  })

  it('ends with status 0 and no output if the step succeeds', async () => {
    expect(await run('await exec("true", [])')).toEqual({ status: 0, said: '' })
  })

  it('prints a refusal as one line without a stack, and does not wait for work that still runs', async () => {
    const { status, said } = await run('setInterval(() => {}, 1000)\nthrow new Refusal("ids", "no user", "add it")')
    expect({ status, said }).toEqual({
      status: 1,
      said: 'hangar refuses: {"code":"ids","message":"no user","hint":"add it"}\n',
    })
  })

  it('prints the output of a failed program and its status, without a stack', async () => {
    const { status, said } = await run('await exec("sh", ["-c", "echo the reason; exit 3"])')
    expect({ status, said }).toEqual({
      status: 1,
      said: 'the reason\nsh -c echo the reason; exit 3 failed: status 3\n',
    })
  })

  it('prints the stack of a fault of the step itself', async () => {
    const { status, said } = await run('throw new TypeError("a fault")')
    expect(status).toBe(1)
    expect(said).toMatch(/TypeError: a fault\n +at /)
  })
})
