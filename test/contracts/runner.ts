import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, chown, readFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../errors.ts'
import { type Derivation, derivationDigest } from '../../images/derivation.ts'
import { Refusal, refusalLine } from '../../images/refusal.ts'
import { derivation } from '../helpers/derivation.ts'
import { type RunnerUnderTest, realise } from '../helpers/realise.ts'
import { listReporter } from '../helpers/reporter.ts'

/**
 * `none`: a command has only a loopback interface. `own`: the engine gives each command a network separate from this
 * machine's.
 */
export type Network = 'none' | 'own'

/** The behaviour of every runner. */
export function describeRunner(
  name: string,
  network: Network,
  make: (signal?: AbortSignal) => Promise<RunnerUnderTest>,
): void {
  describe(`the ${name} runner`, () => {
    it('puts the files in /out into the store', async () => {
      const { outputs } = await realise(await make(), shell('write', 'printf hello > /out/file'))
      expect(outputs).toEqual({ file: 'hello' })
    })

    it('does not run a derivation whose output the store has', async () => {
      const given = await make()
      const random = shell('random', 'head -c 16 /dev/urandom | od > /out/file')
      const first = await realise(given, random)
      const second = await realise(given, random)
      expect(second.outputs).toEqual(first.outputs)
      expect([first.ended, second.ended]).toEqual([expect.arrayContaining(['random: built']), ['random: reused']])
    })

    it('passes a file from one derivation to the next', async () => {
      const from = shell('first', 'printf made > /out/file')
      const { outputs, ended } = await realise(
        await make(),
        shell('second', 'cat /in/given > /out/copy', { given: { from, file: 'file' } }),
      )
      expect(outputs).toEqual({ copy: 'made' })
      expect(ended.filter((each) => /^(first|second):/.test(each))).toEqual(['first: built', 'second: built'])
    })

    it('runs a derivation that two others need only once', async () => {
      const from = shell('shared', 'head -c 16 /dev/urandom | od > /out/file')
      const copy = (name: string) => shell(name, 'cat /in/given > /out/copy', { given: { from, file: 'file' } })
      const both = shell('both', '[ "$(cat /in/a)" = "$(cat /in/b)" ] && echo same > /out/verdict', {
        a: { from: copy('a'), file: 'copy' },
        b: { from: copy('b'), file: 'copy' },
      })
      expect((await realise(await make(), both)).outputs).toEqual({ verdict: 'same\n' })
    })

    it('gives each derivation its own toolchain, even when both toolchains have the same name', async () => {
      const { runner, store, toolchain } = await make()
      const smaller = { ...toolchain, packages: toolchain.packages.filter((each) => each.package !== 'acl') }
      const look = shell('look', '[ -e /usr/bin/getfacl ] && echo yes > /out/answer || echo no > /out/answer')
      const wanted = [toolchain, smaller].map((each) => ({ ...look, system: each.architecture, toolchain: each }))
      const outputs = await runner.realise(wanted, listReporter())
      const answers = wanted.map(async (each) => {
        const digest = outputs.get(derivationDigest(each))?.answer?.digest
        return digest === undefined ? undefined : readFile(store.path(digest), 'utf8')
      })
      expect(await Promise.all(answers)).toEqual(['yes\n', 'no\n'])
    })

    it('gives each input the same mode, owner and time under every umask and for every mode of the store', async () => {
      const given = await make()
      const inputs = { 'a/b/damaged': { bytes: `damaged ${run}` }, whole: { bytes: `whole ${run}` } }
      const damaged = given.store.path(await given.store.putBytes(inputs['a/b/damaged'].bytes))
      await chmod(damaged, 0o400)
      await chown(damaged, 1000, 1000)
      withUmask(0o077)
      const list = "cd /in; find . -printf '%p %M %U:%G %T@\\n' | sort > /out/list; cat a/b/damaged > /out/text"
      const { outputs } = await realise(given, shell('list', list, inputs))
      const directory = (path: string) => `${path} drwxr-xr-x 0:0 1000000000.0000000000\n`
      const file = (path: string) => `${path} -r--r--r-- 0:0 1000000000.0000000000\n`
      expect(outputs).toEqual({
        list: [...['.', './a', './a/b'].map(directory), ...['./a/b/damaged', './whole'].map(file)].join(''),
        text: inputs['a/b/damaged'].bytes,
      })
    })

    it('gives a command the umask 022 and a working directory that every program can read', async () => {
      withUmask(0o077)
      const look = 'umask > /out/umask; stat -c %A /build > /out/mode'
      const { outputs } = await realise(await make(), shell('umask', look))
      expect(outputs).toEqual({ umask: '0022\n', mode: 'drwxr-xr-x\n' })
    })

    it.skipIf(network !== 'none')('gives a command the same machine name on every machine', async () => {
      const names = 'cat /proc/sys/kernel/hostname > /out/name; uname -n >> /out/name'
      expect((await realise(await make(), shell('name', names))).outputs).toEqual({ name: 'localhost\nlocalhost\n' })
    })

    it('mounts inputs read-only', async () => {
      const attempt = shell(
        'attempt',
        '(echo changed > /in/given) 2>/dev/null && echo written > /out/verdict || echo refused > /out/verdict',
        {
          given: { bytes: 'text' },
        },
      )
      expect((await realise(await make(), attempt)).outputs).toEqual({ verdict: 'refused\n' })
    })

    it('fails a command that connects to the network of this machine', async () => {
      const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
      onTestFinished(() => void server.close())
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      await connectTo(port)
      const attempt = shell('connect', `exec 3<>/dev/tcp/127.0.0.1/${port}`)
      await expect(realise(await make(), attempt)).rejects.toMatchObject({ code: 'derivation' })
    })

    it.skipIf(network !== 'none')('gives a command only a loopback interface', async () => {
      const { outputs } = await realise(
        await make(),
        shell('interfaces', 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " " > /out/names'),
      )
      expect(outputs).toEqual({ names: 'lo\n' })
    })

    it('passes no environment variable of its own to a command', async () => {
      const { outputs } = await realise(
        await make(),
        shell('environment', 'env | cut -d= -f1 | sort | tr "\\n" " " > /out/names'),
      )
      expect(outputs.names?.split(' ').filter((each) => !['_', 'PWD', 'OLDPWD', 'SHLVL', ''].includes(each))).toEqual([
        'HOME',
        'LC_ALL',
        'PATH',
        'TZ',
      ])
    })

    it("gives a command Docker's default capabilities, and all capabilities only if it declares them", async () => {
      const mount = 'mount -t tmpfs t /tmp 2>/dev/null && echo may > /out/mount || echo may-not > /out/mount'
      const given = await make()
      expect((await realise(given, shell('default', mount))).outputs).toEqual({ mount: 'may-not\n' })
      expect((await realise(given, { ...shell('all', mount), privilege: 'all' })).outputs).toEqual({ mount: 'may\n' })
    })

    it('starts each command in an empty /build', async () => {
      const { outputs } = await realise(await make(), shell('empty', 'pwd > /out/list; ls -A >> /out/list'))
      expect(outputs).toEqual({ list: '/build\n' })
    })

    it('names a failed derivation, its last lines and its log', async () => {
      const failing = realise(await make(), shell('broken', 'echo first; echo the reason; exit 3'))
      const error = (await failing.catch((each: unknown) => each)) as { message: string; hint: string }
      expect(error.message).toMatch(/^derivation 'broken' failed with status 3:/)
      expect(error.message).toContain('the reason')
      const log = error.hint.replace('complete log: ', '')
      expect(existsSync(log)).toBe(true)
      expect(await readFile(log, 'utf8')).toContain('first\nthe reason')
    })

    it('reports the refusal of a step in its own words, without the output before it', async () => {
      const line = refusalLine(new Refusal('ids', "the id table has no user 'x'", "append user('x', 1, '…'),"))
      const failing = realise(await make(), shell('refusing', `echo noise; printf '%s\\n' "$0" >&2; exit 1`, {}, line))
      const error = await failing.catch((each: unknown) => each)
      expect(error).toBeInstanceOf(UserError)
      expect(error).toMatchObject({
        code: 'ids',
        message: "cannot build 'refusing': the id table has no user 'x'",
        hint: "append user('x', 1, '…'),",
      })
    })

    it('marks only the failed step as failed, and keeps its complete output', async () => {
      const reporter = listReporter()
      const from = shell('first', 'seq 40000; exit 3')
      const second = shell('second', 'true', { given: { from, file: 'file' } })
      const error = await realise(await make(), second, reporter).catch((each: unknown) => each)
      expect(error).toMatchObject({ message: expect.stringMatching(/^derivation 'first' .*\n {2}39989\n/) })
      expect(reporter.ended.filter((each) => /failed|second/.test(each))).toEqual(['first: failed'])
      const log = (error as { hint: string }).hint.replace('complete log: ', '')
      const said = (await readFile(log, 'utf8')).trimEnd().split('\n')
      expect([said.length, said[0], said.at(-1)]).toEqual([40000, '1', '40000'])
    })

    it('names a full file system and what to do when a program finds no space', async () => {
      const fill = 'mount -t tmpfs -o size=64k small /tmp; head -c 1000000 /dev/zero > /tmp/file'
      const failing = realise(await make(), { ...shell('fill', fill), privilege: 'all' })
      await expect(failing).rejects.toMatchObject({
        code: 'derivation',
        message: expect.stringMatching(/^derivation 'fill' failed with status 1: .*\b(full|memory|space)\b.*:\n/),
        hint: expect.stringMatching(/(free disk space|add memory).*; complete log: /),
      })
    })
  })

  // The store may have outputs of earlier runs: a random argument makes every derivation new.
  const run = randomUUID()
  function shell(name: string, script: string, inputs: Derivation['inputs'] = {}, text: string = run): Derivation {
    return derivation({ name, inputs, command: ['bash', '-ec', script, text, run] })
  }
}

/** Sets the umask of this process until the test ends. */
function withUmask(mask: number): void {
  const before = process.umask(mask)
  onTestFinished(() => void process.umask(before))
}

/** Negative control: the test process itself can connect. */
async function connectTo(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.destroy()
}
