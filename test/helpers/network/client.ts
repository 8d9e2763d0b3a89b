import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Attempt } from './machines.ts'

// Reads attempts as JSON, and prints their results. The kernel notes the user when a socket is made, so the attempts of one
// user run together.
const attempts = JSON.parse(await text(process.stdin)) as Attempt[]
const results = new Map<Attempt, string>()
for (const uid of new Set(attempts.map((each) => each.uid)))
  await asUser(uid, async () => {
    const mine = attempts.filter((each) => each.uid === uid)
    await Promise.all(mine.map(async (each) => results.set(each, await (each.protocol === 'tcp' ? tcp : udp)(each))))
  })
process.stdout.write(JSON.stringify(attempts.map((each) => results.get(each))))

async function asUser(uid: number, body: () => Promise<void>): Promise<void> {
  process.seteuid?.(uid)
  try {
    await body()
  } finally {
    process.seteuid?.(0)
  }
}

/** `open`, `silent`, or the code of the error. */
function tcp({ address, port, from }: Attempt): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, localAddress: from })
    socket.setTimeout(2000, () => end('silent'))
    socket.on('data', () => end('open')).on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    const end = (result: string) => {
      socket.destroy()
      resolve(result)
    }
  })
}

function udp({ address, port, from }: Attempt): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const timer = setTimeout(() => end('silent'), 2000)
    const end = (result: string) => {
      clearTimeout(timer)
      socket.close()
      resolve(result)
    }
    socket
      .on('message', () => end('open'))
      .on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.bind(0, from, () =>
      socket.connect(port, address, () =>
        socket.send('anyone?', (error) => error && end((error as NodeJS.ErrnoException).code ?? '')),
      ),
    )
  })
}
