import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseStatus } from '../../../../flash/ssh/answers.ts'
import { blockSourceOf } from '../../../../images/disk/block-source.ts'
import { identityMembers } from '../../../../images/identity/members.ts'
import { identityPartition, readIdentity } from '../../../../images/identity/partition.ts'
import { ownKeysText, type PrivateIdentity, publicOf } from '../../../../images/identity/private-identity.ts'
import { formatPrivateKey, keyFromSeed } from '../../../../images/signature/openssh-key.ts'
import { tarBytes } from '../../../../lib/tar.ts'
import { AgentHost, describeAgent, type HostOptions } from '../../../helpers/agent-host.ts'
import { OWNER } from '../../../helpers/agent-update.ts'
import { readTar } from '../../../helpers/read-tar.ts'
import { IDENTITY } from '../../../helpers/small-identity.ts'
import { SIGNING_LINE } from '../../../helpers/update-image.ts'

const sshKey = (letter: string) => formatPrivateKey(keyFromSeed(Buffer.alloc(32, letter), 'adama'))
const ageKey = (name: string) => ({ identity: `AGE-SECRET-KEY-1${name.toUpperCase()}`, recipient: `age1${name}` })
const identityOf = (ssh: string, age: string): PrivateIdentity => ({
  ...{ ...IDENTITY, host: 'adama' },
  ...{ ssh: [...ssh].map(sshKey), age: [...age].map(ageKey) },
})
const BEFORE = identityOf('o', 'o')
const AFTER = identityOf('no', 'no')
const TRUST = { signing: [SIGNING_LINE], serial: { time: 0, number: 0 } }
type Files = Record<string, string>

/** Path -> mode and content of the files on a new disk with this identity. */
function filesOf(identity: PrivateIdentity): Files {
  const files = identityMembers(identity, TRUST).filter(({ type }) => type === 'file')
  return Object.fromEntries(files.map(({ name, mode, content }) => [name.slice(2), entry(mode, content?.text ?? '')]))
}

const entry = (mode: number, text: string) => `${mode.toString(8)} ${text}`

/** Path -> mode and content of the files in memory. */
function filesIn(host: AgentHost): Files {
  const root = host.device.path('run/identity')
  const paths = (readdirSync(root, { recursive: true }) as string[]).filter((path) =>
    statSync(join(root, path)).isFile(),
  )
  return Object.fromEntries(
    paths.map((path) => [path, entry(statSync(join(root, path)).mode & 0o777, readFileSync(join(root, path), 'utf8'))]),
  )
}

/** Path -> mode and content of the files in the copy on the disk that the next boot loads. */
async function filesOn(host: AgentHost): Promise<Files> {
  const copy = readIdentity(blockSourceOf(host.partition('identity')))
  const entries = (await readTar(copy?.tar ?? new Uint8Array())).filter(({ header }) => header.type === 'file')
  return Object.fromEntries(
    entries.map(({ header: { name, mode }, bytes }) => [name.slice(2), entry(mode ?? 0, bytes.toString())]),
  )
}

const sorted = (files: Files) => Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))

describeAgent('agent identity', (shell) => {
  async function hostWith(identity = BEFORE, options: HostOptions = {}) {
    const host = await AgentHost.under(shell, options)
    host.poke('identity', 0, identityPartition(await tarBytes(identityMembers(identity, TRUST))))
    fill(host, identity)
    return host
  }
  /** Sets the files in memory, as the boot loaded them. */
  const fill = (host: AgentHost, identity: PrivateIdentity) => {
    const root = host.device.path('run/identity')
    rmSync(root, { recursive: true })
    for (const { name, mode, content } of identityMembers(identity, TRUST)) {
      if (content === undefined) mkdirSync(join(root, name), { mode, recursive: true })
      else host.device.write(join('run/identity', name), content.text)
      chmodSync(join(root, name), mode)
    }
  }
  const renew = (host: AgentHost, identity: PrivateIdentity | string) =>
    host.call(['identity', OWNER], typeof identity === 'string' ? identity : ownKeysText(identity))
  const writes = (calls: readonly string[]) => calls.filter((call) => /of=/.test(call))

  it('agent identity writes the same files as on a new disk, in memory and on the disk', async () => {
    const host = await hostWith()
    const { code, answer, calls } = renew(host, AFTER)
    expect([code, answer]).toEqual([0, { ok: true }])
    expect(sorted(filesIn(host))).toEqual(sorted(filesOf(AFTER)))
    expect(sorted(await filesOn(host))).toEqual(sorted(filesOf(AFTER)))
    expect(calls.filter((call) => call.startsWith('systemctl'))).toEqual(['systemctl reload ssh.service'])
    expect(readdirSync(host.device.path('run')).filter((name) => name.startsWith('call.'))).toEqual([])
  })

  it('writes both copies of the identity on the disk', async () => {
    const host = await hostWith()
    renew(host, AFTER)
    host.poke('identity', 0, Buffer.alloc(512))
    expect(sorted(await filesOn(host))).toEqual(sorted(filesOf(AFTER)))
  })

  it('status prints the new public keys, the newest first', async () => {
    const host = await hostWith()
    const said = () => parseStatus('adama', host.call(['status']).stdout).identity
    const publicHalves = ({ ssh, age } = publicOf(BEFORE)) => ({ ssh, age })
    expect(said()).toEqual(publicHalves())
    renew(host, AFTER)
    expect(said()).toEqual(publicHalves(publicOf(AFTER)))
    rmSync(host.device.path('run/identity/age'), { recursive: true })
    expect(said()).toEqual({ ssh: publicOf(AFTER).ssh, age: [] })
  })

  it('agent identity does nothing if the host has these keys already', async () => {
    const host = await hostWith()
    renew(host, AFTER)
    const { answer, calls } = renew(host, AFTER)
    expect([answer, writes(calls), calls.filter((call) => call.startsWith('systemctl'))]).toEqual([
      { ok: true },
      [],
      [],
    ])
  })

  it('does not reload sshd if only an age key is new', async () => {
    const { answer, calls } = renew(await hostWith(), identityOf('o', 'no'))
    expect([answer, calls.filter((call) => call.startsWith('systemctl'))]).toEqual([{ ok: true }, []])
  })

  it('agent identity shows no private key in arguments, answers or logs', async () => {
    const host = await hostWith()
    const { stdout, said, calls } = renew(host, AFTER)
    const secrets = [...AFTER.ssh.map((key) => key.split('\n')[1] ?? ''), ...AFTER.age.map((key) => key.identity)]
    for (const secret of secrets) expect([stdout, said, ...calls].join('\n')).not.toContain(secret)
    const refused = renew(host, ownKeysText(AFTER).replace('"format":1', '"format":2'))
    for (const secret of secrets) expect(JSON.stringify(refused)).not.toContain(secret)
  })

  it('logs that the keys apply at the next boot if sshd cannot be reloaded', async () => {
    const host = await hostWith()
    host.device.fake('systemctl', 'exit 1')
    const { answer, said } = renew(host, AFTER)
    expect([answer, said]).toEqual([{ ok: true }, expect.stringContaining('uses its former key until the next boot')])
  })

  it('agent identity takes and keeps the lock, and fails while another controller holds it', async () => {
    const host = await hostWith()
    expect(host.call(['write', 'tree', 'you@tower:x']).error).toBe('state')
    expect(renew(host, AFTER)).toMatchObject({ error: 'busy' })
    host.call(['release', 'you@tower:x'])
    expect([renew(host, AFTER).answer, /^owner (.*)$/m.exec(host.device.read('run/lock'))?.[1]]).toEqual([
      { ok: true },
      OWNER,
    ])
    expect(host.call(['identity']).error).toBe('usage')
  })

  it.each([
    ['on trial', { slot: 'b', tryboot: 1 }, 'busy'],
    ['in a fallback boot', { slot: 'b' }, 'state'],
  ] as const)('a host %s refuses new keys', async (_how, options, code) => {
    const host = await hostWith(BEFORE, options)
    const { error, calls } = renew(host, AFTER)
    expect([error, writes(calls), sorted(filesIn(host))]).toEqual([code, [], sorted(filesOf(BEFORE))])
  })

  const change = (from: string | RegExp, to: string) => ownKeysText(AFTER).replace(from, to)
  const MALFORMED = [
    ['nothing', ''],
    ['half of them', ownKeysText(AFTER).slice(0, 500)],
    ['two lists', ownKeysText(AFTER).repeat(2)],
    ['too many bytes', ownKeysText(AFTER) + ' '.repeat(65536)],
    ['a path instead of keys', 'ssh/../../../etc/shadow'],
    ['another format', change('"format":1', '"format":2')],
    ['trusted signing keys', change('"format":1', '"format":1,"trust":{"signing":[]}')],
    ['a path', change('"age":[', '"age":["../../etc/shadow",')],
    ['an age key on two lines', change('KEY-1N"', 'KEY-1N\\nmore"')],
    ['a malformed recipient', change('"age1n"', '"$(id)"')],
    ['no SSH key', change(/"ssh":\[.*\]/, '"ssh":[]')],
    ['no list of SSH keys', change(/"ssh":\[.*\]/, '"ssh":{"length":1}')],
    ['33 SSH keys', ownKeysText(identityOf('o'.repeat(33), 'o'))],
    ['an SSH key with a line before it', change('"-----BEGIN', '"x\\n-----BEGIN')],
    ['an empty SSH key', change(/(KEY-----\\n)[^-]*/, '$1AAAA\\n')],
    ['a damaged SSH key', change(/(KEY-----\\n.{60})..../, '$1AAAA')],
  ] as const

  it('agent identity refuses malformed input and changes nothing', async () => {
    const host = await hostWith()
    const before = host.partition('identity')
    for (const [what, text] of MALFORMED) {
      const { error, calls, answer } = renew(host, text)
      expect([error, writes(calls)], what).toEqual(['stream', []])
      expect((answer.error as { hint: string }).hint).not.toBe('')
    }
    expect(sorted(filesIn(host))).toEqual(sorted(filesOf(BEFORE)))
    expect(host.partition('identity').equals(before)).toBe(true)
  })

  it.each([
    ['an SSH key', identityOf('n', 'no')],
    ['an age key', identityOf('no', 'n')],
    ['every key', identityOf('xy', 'xy')],
  ])('refuses a list of keys without %s of the host', async (_what, identity) => {
    const host = await hostWith()
    const { error, calls, message, answer } = renew(host, identity)
    expect([error, writes(calls), sorted(filesIn(host))]).toEqual(['identity', [], sorted(filesOf(BEFORE))])
    expect([message, (answer.error as { hint: string }).hint]).toEqual([
      expect.stringContaining('the received keys lack a key of this host'),
      expect.stringContaining('git pull'),
    ])
  })

  it('refuses a list of keys without a former key', async () => {
    expect(renew(await hostWith(AFTER), identityOf('xn', 'no')).error).toBe('identity')
    expect(renew(await hostWith(AFTER), identityOf('no', 'xn')).error).toBe('identity')
  })

  it('the host loses keys without its check (negative control)', async () => {
    const host = await hostWith()
    host.weaken('renew-identity', /^ {2}keeps_all_keys .*\n/m, '')
    expect([renew(host, identityOf('x', 'x')).answer, filesIn(host)]).toEqual([
      { ok: true },
      filesOf(identityOf('x', 'x')),
    ])
  })

  it('the host installs an unusable SSH key without its check (negative control)', async () => {
    const host = await hostWith(AFTER)
    const weakened = /^ {2}case \$public in .*\n/m
    host.weaken('renew-identity', weakened, '').weaken('renew-identity', /^ {2}keeps_all_keys .*\n/m, '')
    const damaged = ownKeysText(AFTER).replace(/(KEY-----\\n)[^-]*/, '$1AAAA\\n')
    expect(renew(host, damaged).answer).toEqual({ ok: true })
    expect(filesIn(host)['ssh/ssh_host_ed25519_key.pub']).toBe('644  adama\n')
  })

  it('keeps the keys in memory if the disk cannot be written, and writes them at the next call', async () => {
    // busybox ash tests only one power cut, because each cut needs two slow calls.
    for (const power of shell.name === 'dash' ? [0, 1, 2, 3, 4, 5] : [4]) {
      const host = await hostWith()
      host.device.write('power', String(power))
      expect([renew(host, AFTER).error, sorted(filesIn(host))], `${power}`).toEqual(['disk', sorted(filesOf(BEFORE))])
      // After a power cut here, the next boot finds the complete old or new identity.
      expect([sorted(filesOf(BEFORE)), sorted(filesOf(AFTER))], `${power}`).toContainEqual(sorted(await filesOn(host)))
      host.device.write('power', '999')
      expect(renew(host, AFTER).answer).toEqual({ ok: true })
      expect(sorted(await filesOn(host)), `${power}`).toEqual(sorted(filesOf(AFTER)))
    }
  })

  it('an interruption at any point leaves a complete key for sshd, and the next call completes the work', async () => {
    const host = await hostWith()
    const script = host.device.read('lib/renew-identity')
    const shown: string[] = []
    for (const moved of [0, 1, 4, 5, 6, 7]) {
      host.setPart('renew-identity', script)
      host.weaken('renew-identity', '| sort) | while', `| sort) | head -n ${moved} | while`)
      host.weaken('renew-identity', '  [ $newest = loaded ]', '  exit 9\n  [ $newest = loaded ]')
      fill(host, BEFORE)
      expect(renew(host, AFTER).code).toBe(9)
      expect(sorted(await filesOn(host)), `${moved}`).toEqual(sorted(filesOf(AFTER)))
      shown.push(filesIn(host)['ssh/ssh_host_ed25519_key'] === `600 ${AFTER.ssh[0]}` ? 'new' : 'old')
      if (shown.at(-1) === 'old') expect(filesIn(host)['ssh/ssh_host_ed25519_key']).toBe(`600 ${BEFORE.ssh[0]}`)
      host.setPart('renew-identity', script)
      expect([renew(host, AFTER).answer, sorted(filesIn(host))]).toEqual([{ ok: true }, sorted(filesOf(AFTER))])
    }
    expect(shown).toEqual(['old', 'old', 'old', 'old', 'new', 'new'])
  })

  it('agent identity keeps the machine id and the trusted keys', async () => {
    const host = await hostWith()
    host.device.write('run/identity/trust/serial', '7 1\n')
    renew(host, AFTER)
    expect((await filesOn(host))['trust/serial']).toBe('644 7 1\n')
    expect((await filesOn(host))['machine-id']).toBe(`644 ${IDENTITY.machineId}\n`)
  })
})
