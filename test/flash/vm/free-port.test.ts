import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePort } from '../../../flash/vm/free-port.ts'

it('a free port is the first that nobody listens on and nobody was given', async () => {
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
