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
import { OWNER } from '../../../helpers/agent-update.ts'
import { describeAgent, type HostOptions, PretendHost } from '../../../helpers/pretend-agent.ts'
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

/** Path -> content and mode of what a disk that is flashed with it has. */
function filesOf(identity: PrivateIdentity): Files {
  const files = identityMembers(identity, TRUST).filter(({ type }) => type === 'file')
  return Object.fromEntries(files.map(({ name, mode, content }) => [name.slice(2), entry(mode, content?.text ?? '')]))
}

const entry = (mode: number, text: string) => `${mode.toString(8)} ${text}`

/** The same of what is in memory. */
function filesIn(host: PretendHost): Files {
  const root = host.device.path('run/identity')
  const paths = (readdirSync(root, { recursive: true }) as string[]).filter((path) =>
    statSync(join(root, path)).isFile(),
  )
  return Object.fromEntries(
    paths.map((path) => [path, entry(statSync(join(root, path)).mode & 0o777, readFileSync(join(root, path), 'utf8'))]),
  )
}

/** The same of what counts on the disk at the next start. */
async function filesOn(host: PretendHost): Promise<Files> {
  const copy = readIdentity(blockSourceOf(host.partition('identity')))
  const entries = (await readTar(copy?.tar ?? new Uint8Array())).filter(({ header }) => header.type === 'file')
  return Object.fromEntries(
    entries.map(({ header: { name, mode }, bytes }) => [name.slice(2), entry(mode ?? 0, bytes.toString())]),
  )
}

const sorted = (files: Files) => Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))

describeAgent('the keys of a host', (shell) => {
  async function hostWith(identity = BEFORE, options: HostOptions = {}) {
    const host = await PretendHost.under(shell, options)
    host.poke('identity', 0, identityPartition(await tarBytes(identityMembers(identity, TRUST))))
    fill(host, identity)
    return host
  }
  /** What is in memory, as it was loaded at the start. */
  const fill = (host: PretendHost, identity: PrivateIdentity) => {
    const root = host.device.path('run/identity')
    rmSync(root, { recursive: true })
    for (const { name, mode, content } of identityMembers(identity, TRUST)) {
      if (content === undefined) mkdirSync(join(root, name), { mode, recursive: true })
      else host.device.write(join('run/identity', name), content.text)
      chmodSync(join(root, name), mode)
    }
  }
  const renew = (host: PretendHost, identity: PrivateIdentity | string) =>
    host.call(['identity', OWNER], typeof identity === 'string' ? identity : ownKeysText(identity))
  const writes = (calls: readonly string[]) => calls.filter((call) => /of=/.test(call))

  it('become what a disk has that is flashed with them, in memory and on the disk', async () => {
    const host = await hostWith()
    const { code, answer, calls } = renew(host, AFTER)
    expect([code, answer]).toEqual([0, { ok: true }])
    expect(sorted(filesIn(host))).toEqual(sorted(filesOf(AFTER)))
    expect(sorted(await filesOn(host))).toEqual(sorted(filesOf(AFTER)))
    expect(calls.filter((call) => call.startsWith('systemctl'))).toEqual(['systemctl reload ssh.service'])
    expect(readdirSync(host.device.path('run')).filter((name) => name.startsWith('call.'))).toEqual([])
  })

  it('are on the disk twice', async () => {
    const host = await hostWith()
    renew(host, AFTER)
    host.poke('identity', 0, Buffer.alloc(512))
    expect(sorted(await filesOn(host))).toEqual(sorted(filesOf(AFTER)))
  })

  it('are said in public, the newest first', async () => {
    const host = await hostWith()
    const said = () => parseStatus('adama', host.call(['status']).stdout).identity
    const publicHalves = ({ ssh, age } = publicOf(BEFORE)) => ({ ssh, age })
    expect(said()).toEqual(publicHalves())
    renew(host, AFTER)
    expect(said()).toEqual(publicHalves(publicOf(AFTER)))
    rmSync(host.device.path('run/identity/age'), { recursive: true })
    expect(said()).toEqual({ ssh: publicOf(AFTER).ssh, age: [] })
  })

  it('that it has already are written to no disk, and tell sshd nothing', async () => {
    const host = await hostWith()
    renew(host, AFTER)
    const { answer, calls } = renew(host, AFTER)
    expect([answer, writes(calls), calls.filter((call) => call.startsWith('systemctl'))]).toEqual([
      { ok: true },
      [],
      [],
    ])
  })

  it('are not shown by sshd again where only another kind is new', async () => {
    const { answer, calls } = renew(await hostWith(), identityOf('o', 'no'))
    expect([answer, calls.filter((call) => call.startsWith('systemctl'))]).toEqual([{ ok: true }, []])
  })

  it('stand in no argument, no answer and no log', async () => {
    const host = await hostWith()
    const { stdout, said, calls } = renew(host, AFTER)
    const secrets = [...AFTER.ssh.map((key) => key.split('\n')[1] ?? ''), ...AFTER.age.map((key) => key.identity)]
    for (const secret of secrets) expect([stdout, said, ...calls].join('\n')).not.toContain(secret)
    const refused = renew(host, ownKeysText(AFTER).replace('"format":1', '"format":2'))
    for (const secret of secrets) expect(JSON.stringify(refused)).not.toContain(secret)
  })

  it('count at the next start where sshd cannot be told of them', async () => {
    const host = await hostWith()
    host.device.pretend('systemctl', 'exit 1')
    const { answer, said } = renew(host, AFTER)
    expect([answer, said]).toEqual([{ ok: true }, expect.stringContaining('shows its former key until the next start')])
  })

  it('keep the lock for what comes after them, and nobody brings any to a host that another updates', async () => {
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
    ['that runs what is not committed', { slot: 'b' }, 'state'],
  ] as const)('are not taken by a host %s', async (_how, options, code) => {
    const host = await hostWith(BEFORE, options)
    const { error, calls } = renew(host, AFTER)
    expect([error, writes(calls), sorted(filesIn(host))]).toEqual([code, [], sorted(filesOf(BEFORE))])
  })

  const change = (from: string | RegExp, to: string) => ownKeysText(AFTER).replace(from, to)
  const MALFORMED = [
    ['nothing', ''],
    ['half of them', ownKeysText(AFTER).slice(0, 500)],
    ['more of them', ownKeysText(AFTER).repeat(2)],
    ['too many bytes', ownKeysText(AFTER) + ' '.repeat(65536)],
    ['something else', 'ssh/../../../etc/shadow'],
    ['another format', change('"format":1', '"format":2')],
    ['whom it is to trust', change('"format":1', '"format":1,"trust":{"signing":[]}')],
    ['a path', change('"age":[', '"age":["../../etc/shadow",')],
    ['an age key on two lines', change('KEY-1N"', 'KEY-1N\\nmore"')],
    ['a recipient that is none', change('"age1n"', '"$(id)"')],
    ['no SSH key', change(/"ssh":\[.*\]/, '"ssh":[]')],
    ['no list of SSH keys', change(/"ssh":\[.*\]/, '"ssh":{"length":1}')],
    ['more SSH keys than anybody has', ownKeysText(identityOf('o'.repeat(33), 'o'))],
    ['an SSH key with more before it', change('"-----BEGIN', '"x\\n-----BEGIN')],
    ['an SSH key that is none', change(/(KEY-----\\n)[^-]*/, '$1AAAA\\n')],
    ['an SSH key that is damaged', change(/(KEY-----\\n.{60})..../, '$1AAAA')],
  ] as const

  it('are refused where something of another form arrives, and nothing changes', async () => {
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
  ])('are refused where %s that the host has is not among them', async (_what, identity) => {
    const host = await hostWith()
    const { error, calls, message, answer } = renew(host, identity)
    expect([error, writes(calls), sorted(filesIn(host))]).toEqual(['identity', [], sorted(filesOf(BEFORE))])
    expect([message, (answer.error as { hint: string }).hint]).toEqual([
      expect.stringContaining('a key that this host has is not among those that arrived'),
      expect.stringContaining('git pull'),
    ])
  })

  it('of which an old one is missing are refused too', async () => {
    expect(renew(await hostWith(AFTER), identityOf('xn', 'no')).error).toBe('identity')
    expect(renew(await hostWith(AFTER), identityOf('no', 'xn')).error).toBe('identity')
  })

  it('would be lost if nobody looked', async () => {
    const host = await hostWith()
    host.careless('renew-identity', /^ {2}keeps_all_keys .*\n/m, '')
    expect([renew(host, identityOf('x', 'x')).answer, filesIn(host)]).toEqual([
      { ok: true },
      filesOf(identityOf('x', 'x')),
    ])
  })

  it('would lock everybody out if one that cannot be used were taken', async () => {
    const host = await hostWith(AFTER)
    const careless = /^ {2}case \$public in .*\n/m
    host.careless('renew-identity', careless, '').careless('renew-identity', /^ {2}keeps_all_keys .*\n/m, '')
    const damaged = ownKeysText(AFTER).replace(/(KEY-----\\n)[^-]*/, '$1AAAA\\n')
    expect(renew(host, damaged).answer).toEqual({ ok: true })
    expect(filesIn(host)['ssh/ssh_host_ed25519_key.pub']).toBe('644  adama\n')
  })

  it('stay what they were in memory where the disk does not take them, and the same call again brings them', async () => {
    // All of them under the shell of a host: each cut costs two calls.
    for (const power of shell.name === 'dash' ? [0, 1, 2, 3, 4, 5] : [4]) {
      const host = await hostWith()
      host.device.write('power', String(power))
      expect([renew(host, AFTER).error, sorted(filesIn(host))], `${power}`).toEqual(['disk', sorted(filesOf(BEFORE))])
      // Were the power gone altogether: old or new, and whole.
      expect([sorted(filesOf(BEFORE)), sorted(filesOf(AFTER))], `${power}`).toContainEqual(sorted(await filesOn(host)))
      host.device.write('power', '999')
      expect(renew(host, AFTER).answer).toEqual({ ok: true })
      expect(sorted(await filesOn(host)), `${power}`).toEqual(sorted(filesOf(AFTER)))
    }
  })

  it('are whole for sshd wherever the call is ended, and the same call again finishes it', async () => {
    const host = await hostWith()
    const script = host.device.read('lib/renew-identity')
    const shown: string[] = []
    for (const moved of [0, 1, 4, 5, 6, 7]) {
      host.setPart('renew-identity', script)
      host.careless('renew-identity', '| sort) | while', `| sort) | head -n ${moved} | while`)
      host.careless('renew-identity', '  [ $newest = shown ]', '  exit 9\n  [ $newest = shown ]')
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

  it('leave machine id and trust as they are', async () => {
    const host = await hostWith()
    host.device.write('run/identity/trust/serial', '7 1\n')
    renew(host, AFTER)
    expect((await filesOn(host))['trust/serial']).toBe('644 7 1\n')
    expect((await filesOn(host))['machine-id']).toBe(`644 ${IDENTITY.machineId}\n`)
  })
})
