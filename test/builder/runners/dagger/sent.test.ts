import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { countSent } from '../../../../builder/runners/dagger/sent.ts'
import { transferred } from '../../../../builder/runners/dagger/transfer-count.ts'
import { eventually } from '../../../helpers/eventually.ts'
import { listReporter } from '../../../helpers/reporter.ts'
import { tempDirectory } from '../../../helpers/temp.ts'

/** A step that records its bytes and its ending. */
function countingStep() {
  const { ended, step } = listReporter()
  const counted = { bytes: 0, ended }
  const advance = (bytes: number) => {
    counted.bytes += bytes
  }
  return { counted, step: { ...step('send'), advance } }
}

it('counts the bytes that are sent during a transfer, and not those before it', async () => {
  let sent = 1000
  const { counted, step } = countingStep()
  const sending = Promise.resolve().then(() => {
    sent += 300
  })
  expect(await countSent(step, sending, () => sent)).toBe(300)
  expect(counted).toEqual({ bytes: 300, ended: ['send: done'] })
})

it('rethrows the error of a failed transfer', async () => {
  const { counted, step } = countingStep()
  await expect(countSent(step, Promise.reject(new Error('damaged')), () => 0)).rejects.toThrow('damaged')
  expect(counted.ended).toEqual([])
})

/** Writes to a disk and to a socket, and goes on until its standard input ends. */
const WRITER = `
const [file, socket] = process.argv.slice(1)
require('fs').writeFileSync(file, Buffer.alloc(5_000_000))
require('net').connect(socket).end(Buffer.alloc(300_000)).resume()
process.stdin.resume()`

it('separates the bytes that a process writes to a disk from those that it sends', async () => {
  // /tmp may be in memory, where the kernel counts no writes to a disk.
  const directory = await tempDirectory('/var/tmp')
  const socket = join(directory, 'socket')
  let received = 0
  const server = createServer((peer) =>
    peer.on('data', (data) => {
      received += data.length
    }),
  ).listen(socket)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  closeSync(openSync(join(directory, 'file'), 'w'))
  const writer = spawn(process.execPath, ['-e', WRITER, join(directory, 'file'), socket], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  onTestFinished(() => void writer.kill())
  await eventually(async () => received === 300_000, 20)
  const { written, toDisk } = transferred(writer.pid)
  expect(written).toBeGreaterThanOrEqual(5_300_000)
  expect(toDisk).toBeGreaterThanOrEqual(5_000_000)
  // The kernel counts whole pages, and the metadata of the file system.
  expect(written - toDisk).toBeGreaterThanOrEqual(200_000)
  expect(written - toDisk).toBeLessThan(1_000_000)
})

it('counts nothing for a process that has ended', () => {
  expect(transferred(undefined)).toEqual({ written: 0, toDisk: 0 })
})
