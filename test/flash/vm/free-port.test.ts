import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePort } from '../../../flash/vm/free-port.ts'

it('freePort returns the first port that is neither in use nor taken', async () => {
  const server = createServer()
  const taken = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
  try {
    const next = await freePort(taken, new Set())
    expect(next).toBeGreaterThan(taken)
    expect(await freePort(taken, new Set([next]))).toBeGreaterThan(next)
  } finally {
    server.close()
  }
})
