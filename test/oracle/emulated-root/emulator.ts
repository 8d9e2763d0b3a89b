import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Architecture } from '../../../images/architecture.ts'
import { exec } from '../../../images/layers/parts/exec.ts'

const HANDLERS = '/proc/sys/fs/binfmt_misc'
const OURS = 'hangar-oracle'
const QEMU: Record<Architecture, string> = { amd64: 'x86_64', arm64: 'aarch64' }

/** A binfmt_misc handler, as the kernel describes it. */
export interface Handler {
  readonly name: string
  readonly enabled: boolean
  readonly flags: string
  /** The magic bytes, in hexadecimal. */
  readonly magic: string
}

/**
 * Runs `work` while the kernel starts programs of the target's architecture with qemu-user. Handlers apply to the whole
 * machine, so this function does not change an existing one, and removes only its own.
 */
export async function emulating(target: Architecture, work: () => Promise<void>): Promise<void> {
  if (!existsSync(`${HANDLERS}/register`)) {
    mkdirSync(HANDLERS, { recursive: true })
    await exec('mount', ['-t', 'binfmt_misc', 'binfmt_misc', HANDLERS])
  }
  const registration = readFileSync(`/usr/share/qemu/binfmt.d/qemu-${QEMU[target]}.conf`, 'utf8').trim()
  const present = handlerFor(registration, readHandlers())
  if (present !== undefined && present.name !== OURS) {
    requireUsable(present)
    return work()
  }
  if (present !== undefined) remove()
  writeFileSync(`${HANDLERS}/register`, renamed(registration))
  try {
    await work()
  } finally {
    remove()
  }
}

/** The handler with the magic bytes of a binfmt.d(5) line. */
export function handlerFor(registration: string, handlers: readonly Handler[]): Handler | undefined {
  const magic = (registration.split(':')[4] ?? '').replaceAll('\\x', '')
  return handlers.find((handler) => handler.magic === magic)
}

/** The binfmt.d line under our name, with flag F: the kernel opens the interpreter now, because the root has none. */
export function renamed(registration: string): string {
  const [, , ...fields] = registration.split(':')
  const flags = fields.pop() ?? ''
  return ['', OURS, ...fields, flags.includes('F') ? flags : `${flags}F`].join(':')
}

export function parseHandler(name: string, text: string): Handler {
  return {
    name,
    enabled: text.startsWith('enabled'),
    flags: /^flags: (.*)$/m.exec(text)?.[1] ?? '',
    magic: /^magic ([0-9a-f]*)$/m.exec(text)?.[1] ?? '',
  }
}

function readHandlers(): Handler[] {
  const names = readdirSync(HANDLERS).filter((name) => name !== 'register' && name !== 'status')
  return names.map((name) => parseHandler(name, readFileSync(`${HANDLERS}/${name}`, 'utf8')))
}

function requireUsable({ name, enabled, flags }: Handler): void {
  if (enabled && flags.includes('F')) return
  throw new Error(
    `this machine's binfmt_misc handler '${name}' is ${enabled ? `without flag F (${flags})` : 'disabled'}: remove or repair it first`,
  )
}

function remove(): void {
  writeFileSync(`${HANDLERS}/${OURS}`, '-1')
}
