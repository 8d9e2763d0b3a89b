import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HTTP_CHECK_PACKAGE, httpAnswers } from '../../overlays/http-check.ts'
import { onPath } from '../helpers/fake-device.ts'
import { serviceNamed, testServices } from '../helpers/host.ts'
import { runIn } from '../helpers/project.ts'

const BUSYBOX = onPath('busybox')

describe('httpAnswers', () => {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/good' ? 200 : 503).end('a page\n')
  })
  const port = () => (server.address() as AddressInfo).port
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  const check = (at: number, path: string) => {
    const [, ...words] = httpAnswers(at, path).command
    return runIn({ cwd: '/', env: {} }, BUSYBOX ?? '', ...words)
  }

  it.skipIf(BUSYBOX === undefined)('the health check passes without output if the server answers 200', async () => {
    expect(await check(port(), '/good')).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it.skipIf(BUSYBOX === undefined)(
    'the health check fails if the server answers 503, and prints the status',
    async () => {
      const { code, stderr } = await check(port(), '/bad')
      expect([code, stderr]).toEqual([1, expect.stringContaining('503')])
    },
  )

  it.skipIf(BUSYBOX === undefined)('the health check fails if no program listens on the port', async () => {
    const { code, stderr } = await check(1, '/good')
    expect([code, stderr]).toEqual([1, expect.stringContaining('refused')])
  })

  it.each(['prometheus', 'alertmanager'] as const)(
    'the container of %s contains the program of its health check',
    (name) => {
      const { containers } = serviceNamed(testServices({ [name]: { memory: '64 MiB' } }), name)
      expect(containers.map(({ image }) => image)).toMatchObject([
        { packages: expect.arrayContaining([HTTP_CHECK_PACKAGE]) },
      ])
    },
  )
})
