/**
 * A program in place of the QEMU that is the gateway of a network: connects to the monitor and to the switch as its arguments
 * say, and writes the arguments to a file beside it. Returns each frame to its sender, and exits after a frame with 'end'.
 */
export const FAKE_GATEWAY = `
const { connect } = require('node:net')
const args = process.argv.slice(2)
require('node:fs').writeFileSync(__dirname + '/arguments', JSON.stringify(args))
const valueOf = (pattern) => pattern.exec(args.join(' '))[1]
connect(valueOf(/-qmp unix:(\\S+)/)).write('{"QMP":{}}\\n')
const hub = connect(valueOf(/addr\\.path=(\\S+)/))
hub.on('data', (bytes) => {
  if (String(bytes).includes('end')) process.exit(0)
  const answer = Buffer.from(bytes)
  bytes.copy(answer, 4, 10, 16)
  bytes.copy(answer, 10, 4, 10)
  hub.write(answer)
})
`
