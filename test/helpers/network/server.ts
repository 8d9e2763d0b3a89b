import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

// Listens at the ports in its arguments (`tcp:1883 udp:53`), on all addresses of the machine, and answers every packet. Prints
// a line when it is ready. Ends with its standard input.
const listening = process.argv.slice(2).flatMap((each) => {
  const [protocol, port] = each.split(':')
  return protocol === 'tcp' ? [tcp(Number(port))] : addresses().map((address) => udp(address, Number(port)))
})
await Promise.all(listening)
process.stdout.write('ready\n')
process.stdin.on('end', () => process.exit()).resume()

function tcp(port: number): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined).end('here'))
  return new Promise((resolve) => server.listen(port, '::', resolve))
}

/** An answer comes from the address that was asked only if the socket is bound to it. */
function udp(address: string, port: number): Promise<void> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
  socket.on('message', (_, from) => socket.send('here', from.port, from.address))
  return new Promise((resolve) => socket.bind(port, address, resolve))
}

/** The addresses of the machine, and that of systemd-resolved's stub. */
function addresses(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return ['127.0.0.53', ...own.map(({ address }) => address).filter((address) => !address.startsWith('fe80'))]
}
