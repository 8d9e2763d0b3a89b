import { describe, expect, it } from 'vitest'
import { exchange, follow, PATIENCE, textOf } from '../../lib/http.ts'
import { fileServer } from '../helpers/file-server.ts'

const QUICK = { answer: 300, window: 200, bytes: 1000 }

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 1) yield Buffer.alloc(1 << 16, 'x')
}

const content = (count: number) => ({ size: count << 16, pieces: pieces(count) })

describe('the body of an upload', () => {
  it('an upload arrives complete and with its length before hangar waits for the answer', async () => {
    const server = await fileServer([
      [
        'take',
        (request, response) => {
          let size = 0
          request.on('data', (piece: Buffer) => {
            size += piece.length
          })
          request.on('end', () => response.end(`${request.method} ${size} of ${request.headers['content-length']}`))
        },
      ],
    ])
    const given = { method: 'PUT', content: content(100), patience: PATIENCE } as const
    const response = await exchange(new URL(`${server.url}/take`), given)
    expect(await textOf(response, 100, given)).toBe('PUT 6553600 of 6553600')
  })

  it('an upload stops when the server answers early', async () => {
    const server = await fileServer([['take', (_, response) => void response.writeHead(413).end('too large')]])
    let isOver = false
    const watched = async function* () {
      yield* pieces(1000)
      isOver = true
    }
    const given = { method: 'PUT', content: { size: 1000 << 16, pieces: watched() }, patience: PATIENCE } as const
    const response = await exchange(new URL(`${server.url}/take`), given)
    expect([response.statusCode, await textOf(response, 100, given)]).toEqual([413, 'too large'])
    expect(isOver).toBe(false)
  })

  it('an upload fails with the error of its source when the source cannot be read', async () => {
    const server = await fileServer([['take', () => undefined]])
    const broken = async function* () {
      yield Buffer.from('a beginning')
      throw new Error('the disk is gone')
    }
    const given = { method: 'PUT', content: { size: 100, pieces: broken() }, patience: QUICK } as const
    await expect(exchange(new URL(`${server.url}/take`), given)).rejects.toThrow('the disk is gone')
  })

  it('an upload fails as too slow when the server reads nothing', async () => {
    const server = await fileServer([['take', (request) => void request.pause()]])
    const given = { method: 'PUT', content: content(1000), patience: QUICK } as const
    await expect(exchange(new URL(`${server.url}/take`), given)).rejects.toMatchObject({ kind: 'slow' })
  })

  it('an upload fails as unreachable when the server reads it and gives no answer', async () => {
    const server = await fileServer([['take', (request) => void request.resume()]])
    const given = { method: 'PUT', content: content(1), patience: QUICK } as const
    await expect(exchange(new URL(`${server.url}/take`), given)).rejects.toMatchObject({
      kind: 'unreachable',
      message: 'no answer in 0.3 s',
    })
  })
})

describe('a redirect', () => {
  it('sends credentials after a redirect only to the same server', async () => {
    const shown: (string | undefined)[] = []
    const note =
      (where: string): Parameters<typeof server.files.set>[1] =>
      ({ headers }, response) => {
        shown.push(headers.authorization)
        response.writeHead(307, { location: where }).end()
      }
    const server = await fileServer()
    const other = await fileServer([
      ['end', (request, response) => response.end(request.headers.authorization ?? 'no credentials')],
    ])
    server.files.set('first', note('/second'))
    server.files.set('second', note(`${other.url}/end`))
    const given = { headers: { authorization: 'Basic me' }, patience: PATIENCE }
    expect(await textOf(await follow(`${server.url}/first`, given), 100, given)).toBe('no credentials')
    expect(shown).toEqual(['Basic me', 'Basic me'])
  })
})
