import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { countSent } from '../../../../builder/runners/dagger/sent.ts'
import { listReporter } from '../../../helpers/reporter.ts'

/** A step that records its bytes and its ending. */
function countingStep() {
  const { ended, step } = listReporter()
  const counted = { bytes: 0, ended }
  const advance = (bytes: number) => {
    counted.bytes += bytes
  }
  return { counted, step: { ...step('send'), advance } }
}

const CLI = `setTimeout(() => require('fs').writeFileSync('/dev/null', Buffer.alloc(300_000)), 500)
process.stdin.resume()`

it('counts the bytes that the CLI writes during a transfer', async () => {
  const cli = spawn(process.execPath, ['-e', CLI, 'dagger.io/sdk.name'], { stdio: ['pipe', 'ignore', 'ignore'] })
  onTestFinished(() => void cli.kill())
  await once(cli, 'spawn')
  const { counted, step } = countingStep()
  await countSent(step, sleep(2000))
  expect(counted.bytes).toBeGreaterThanOrEqual(300_000)
  expect(counted.ended).toEqual(['send: done'])
})

it('counts no bytes without a CLI', async () => {
  const { counted, step } = countingStep()
  await countSent(step, sleep(10))
  expect(counted).toEqual({ bytes: 0, ended: ['send: done'] })
})

it('rethrows the error of a failed transfer', async () => {
  const { counted, step } = countingStep()
  await expect(countSent(step, Promise.reject(new Error('damaged')))).rejects.toThrow('damaged')
  expect(counted.ended).toEqual([])
})
