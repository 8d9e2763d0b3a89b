import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'

// Listens at the ports in its arguments (`tcp:1883 udp:53`), on all addresses, and answers every packet. Prints a line when it
// is ready. Ends with its standard input.
const listening = process.argv.slice(2).map((each) => {
  const [protocol, port] = each.split(':')
  return protocol === 'tcp' ? tcp(Number(port)) : udp(Number(port))
})
await Promise.all(listening)
process.stdout.write('ready\n')
process.stdin.on('end', () => process.exit()).resume()

function tcp(port: number): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).end('here'))
  return new Promise((resolve) => server.listen(port, '::', resolve))
}

function udp(port: number): Promise<void> {
  const socket = createSocket('udp6')
  socket.on('message', (_, from) => socket.send('here', from.port, from.address))
  return new Promise((resolve) => socket.bind(port, '::', resolve))
}
