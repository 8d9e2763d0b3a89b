/** What kind of machine code a file is. */
export type Machine = 'linux-arm64' | 'linux-other' | 'other'

const ELF = 0x7f454c46
const AARCH64 = 183

/** The machine of a native module by its header: `linux` stands for every system with ELF files. */
export function machineOf(bytes: Uint8Array): Machine {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 20))
  if (head.length < 20 || head.readUInt32BE(0) !== ELF) return 'other'
  const isLittleEndian64 = head[4] === 2 && head[5] === 1
  return isLittleEndian64 && head.readUInt16LE(18) === AARCH64 ? 'linux-arm64' : 'linux-other'
}

/** Whether a file is a native module by its name. */
export function isNativeModule(path: string): boolean {
  return path.endsWith('.node')
}

/**
 * Whether Debian's Node.js on arm64 can load a native module. node-gyp-build and prebuildify mark the files for other
 * C libraries and other runtimes in their names: `electron.napi.node`, `node.napi.musl.node`.
 */
export function isUsable(path: string, machine: Machine): boolean {
  return machine === 'linux-arm64' && !/(^|[./_-])(musl|electron|bionic|android)([./_-]|$)/i.test(path)
}
