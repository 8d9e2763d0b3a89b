import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startQemu } from '../../../flash/vm/qemu.ts'
import { tempDirectory } from '../../helpers/temp.ts'

/** A fake QEMU: connects to the monitor, writes each command to a file, and answers with `answers`. */
const FAKE_QEMU = `
const { appendFileSync } = require('node:fs')
const [control, log, answers] = process.argv.slice(2)
const monitor = require('node:net').connect(control)
const send = (message) => monitor.write(JSON.stringify(message) + '\\n')
send({ QMP: {} })
let rest = ''
monitor.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n')
  rest = lines.pop()
  for (const line of lines) {
    appendFileSync(log, line + '\\n')
    const { execute } = JSON.parse(line)
    const answer = JSON.parse(answers)[execute] ?? [{ return: {} }]
    if (answer === 'exit') process.exit(0)
    for (const message of answer) send(message)
  }
})
`

const status = (name: string) => ({ event: 'MIGRATION', data: { status: name } })

async function fakeQemu(answers: Readonly<Record<string, unknown>>) {
  const directory = await tempDirectory()
  const path = (name: string) => join(directory, name)
  writeFileSync(path('qemu.cjs'), FAKE_QEMU)
  const program = { file: process.execPath, args: [path('qemu.cjs')], env: {} }
  const qemu = await startQemu(program, [path('control'), path('log'), JSON.stringify(answers)], path('control'))
  onTestFinished(() => qemu.kill())
  await expect.poll(() => readFileSync(path('log'), 'utf8')).toContain('qmp_capabilities')
  const commands = () =>
    readFileSync(path('log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  return { qemu, commands }
}

describe('saving a machine', () => {
  it('saves the memory without the bandwidth limit of QEMU, and waits until QEMU has written the file', async () => {
    const migrate = [{ return: {} }, status('active'), status('completed')]
    const { qemu, commands } = await fakeQemu({ migrate })
    await qemu.save('/x/memory')
    expect(commands().slice(1)).toEqual([
      {
        execute: 'migrate-set-capabilities',
        arguments: { capabilities: [{ capability: 'events', state: true }] },
      },
      { execute: 'migrate-set-parameters', arguments: { 'max-bandwidth': 2 ** 40 } },
      { execute: 'migrate', arguments: { uri: 'file:/x/memory' } },
    ])
  })

  it('saving fails with the reason if QEMU refuses the command', async () => {
    const { qemu } = await fakeQemu({ migrate: [{ error: { desc: 'Device has no state' } }] })
    await expect(qemu.save('/x/memory')).rejects.toThrow('QEMU failed: Device has no state')
  })

  it('saving fails if QEMU cannot write the file', async () => {
    const { qemu } = await fakeQemu({ migrate: [{ return: {} }, status('active'), status('failed')] })
    await expect(qemu.save('/x/memory')).rejects.toThrow('cannot save the machine')
  })

  it('saving fails if QEMU exits too early', async () => {
    const { qemu } = await fakeQemu({ migrate: 'exit' })
    await expect(qemu.save('/x/memory')).rejects.toThrow('it ended before it had saved the machine')
  })
})
