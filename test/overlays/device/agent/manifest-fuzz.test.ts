import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { manifestText } from '../../../../images/manifest.ts'
import { signText } from '../../../../images/signature/sshsig.ts'
import { AgentHost, describeAgent } from '../../../helpers/agent-host.ts'
import { type AgentImage, agentImage } from '../../../helpers/agent-image.ts'
import { begin, OWNER } from '../../../helpers/agent-update.ts'
import { SIGNING_KEY } from '../../../helpers/update-image.ts'
import { type Random, randomFrom } from '../../../power-cut/random.ts'

const IMAGE = agentImage('new')
const GOOD = IMAGE.text
const HASH = IMAGE.root
const COUNT = 60

/** Values that may be anywhere in a signed but wrong manifest. */
const ODD: readonly unknown[] = [
  ...[null, true, [], {}, '', 0, -1, 0.5, 1e3, 4096.5, 2 ** 53, 1e300, '4096', [4096], { size: 1 }],
  ...['$(>x)', '`>x`', 'a;>x', '../../x', '/etc/passwd', '-rf', 'a b', 'x\ny', 'x\u0000', '\u001b[2J'],
  ...[`${HASH}\n`, ` ${HASH}`, HASH.toUpperCase(), HASH.slice(1), `${HASH}0`, 'ä'.repeat(64)],
]
const NAMES = ['config.txt\n', '\nconfig.txt', 'a/b', '..', '-c', '$(touch x)', 'a b', '', 'config.txt\u0000', '*', 'ä']
/** Two spellings that mean the same in JSON but not in a shell. */
const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/"dataBlocks": ?40/, '"dataBlocks": 40.0'],
  [/"dataBlocks": ?40/, '"dataBlocks": 4e1'],
  [/"dataBlocks": ?40/, '"dataBlocks": -0'],
  [/"number": ?1/, '"number": 1.0'],
  [/^/, '{}\n'],
  [/$/, GOOD],
  [/$/, '{}'],
  [/$/, '\n]'],
  [/^\{/, '{"slot":{},'],
]

type Json = Record<string, unknown>

function mutant(random: Random): string {
  const below = (count: number) => Math.floor(random() * count)
  const one = <T>(items: readonly T[]): T => items[below(items.length)] as T
  if (random() < 0.2) return GOOD.replace(...one(TEXTS))
  if (random() < 0.2) return damaged(below)
  const value = JSON.parse(GOOD) as Json
  let at: Json = value
  for (let depth = below(4); depth > 0; depth--) {
    const inner = Object.values(at).filter((each) => typeof each === 'object' && each !== null && !Array.isArray(each))
    if (inner.length > 0) at = one(inner) as Json
  }
  const key = one(Object.keys(at))
  if (at === value.boot && random() < 0.6) at[one(NAMES)] = at[key]
  else if (random() < 0.15) delete at[key]
  else at[key] = one(ODD)
  return JSON.stringify(value)
}

function damaged(below: (count: number) => number): string {
  const bytes = Buffer.from(GOOD)
  for (let count = 1 + below(3); count > 0; count--) bytes[below(bytes.length)] = below(256)
  return below(4) === 0 ? bytes.toString('latin1', 0, below(bytes.length)) : bytes.toString('latin1')
}

/** Prints on one line every value that the agent reads from a manifest. */
const TAKES = `
  for each in "$FAKE_ROOT"/manifests/*; do
    is_manifest "$each" || { echo refused; continue; }
    manifest '"\\(.slot.size)|\\(.slot.dataBlocks)|\\(.slot.root)|\\(.layout)|\\(.serial.time) \\(.serial.number)|"' "$each" | tr '\\n' '?'
    manifest '.boot | to_entries[] | "\\(.value.sha256)  \\(.key)"' "$each" | tr '\\n' ','
    echo
  done`

const NUMBER = '(0|[1-9]\\d{0,15})'
const SOUND = new RegExp(
  `^${NUMBER}\\|${NUMBER}\\|[0-9a-f]{64}\\|${NUMBER}\\|${NUMBER} ${NUMBER}\\|\\?([0-9a-f]{64} {2}[A-Za-z0-9._-]+,)*$`,
)

describeAgent('a manifest', (shell) => {
  const take = (host: AgentHost, texts: readonly string[]) => {
    for (const [index, text] of texts.entries())
      host.device.write(`manifests/${String(index).padStart(4, '0')}`, Buffer.from(text, 'latin1'))
    return host.shell(TAKES).stdout.trimEnd().split('\n')
  }
  const texts = [GOOD, ...Array.from({ length: COUNT }, (_, place) => mutant(randomFrom(11, place)))]

  it('the agent reads numbers, hashes and names from hundreds of wrong manifests, or refuses them', async () => {
    const host = await AgentHost.under(shell)
    const taken = take(host, texts)
    expect(taken).toHaveLength(texts.length)
    expect(taken[0]).toMatch(SOUND)
    const accepted = taken.filter((line) => line !== 'refused')
    expect(accepted.filter((line) => !SOUND.test(line))).toEqual([])
    expect([accepted.length > 10, texts.length - accepted.length > 20]).toEqual([true, true])
    expect(existsSync(host.device.path('x'))).toBe(false)
  })

  it('the agent reads other values without the checks (negative control)', async () => {
    const weakened = async (from: string | RegExp, to: string, text: string) => {
      const host = (await AgentHost.under(shell)).weaken('slot', from, to)
      const [line = ''] = take(host, [text])
      return line !== 'refused' && !SOUND.test(line)
    }
    const named = JSON.parse(GOOD) as { boot: Json }
    named.boot['config.txt\n'] = named.boot['config.txt']
    expect(await weakened('test("^[A-Za-z0-9._-]+\\\\z")', 'test("^[A-Za-z0-9._-]+$")', JSON.stringify(named))).toBe(
      true,
    )
    expect(await weakened('length == 1 and', '', GOOD + GOOD)).toBe(true)
    const halves = JSON.stringify({ ...JSON.parse(GOOD), layout: 1.5 })
    expect(
      await weakened('. == floor and . < 9007199254740992 and (tojson | test("^[0-9]+\\\\z"))', 'true', halves),
    ).toBe(true)
  })

  it('the agent answers a signed but wrong manifest, and writes nothing', async () => {
    const host = await AgentHost.under(shell)
    const signed = (change: object): AgentImage => {
      const text = manifestText({ ...IMAGE.manifest, ...change } as never)
      return { ...IMAGE, text, signature: signText(text, SIGNING_KEY) }
    }
    for (const [change, code] of [
      [{ host: 'adama\n' }, undefined],
      [{ host: '$(touch x)' }, 'foreign'],
      [{ board: '"; touch x' }, 'foreign'],
      [{ serial: { time: 2 ** 53, number: 0 } }, 'usage'],
      [{ slot: { ...IMAGE.manifest.slot, size: 2 ** 52 } }, 'size'],
      [{ slot: { ...IMAGE.manifest.slot, root: `${HASH}\n` } }, 'usage'],
    ] as const)
      expect([begin(host, signed(change)).error, JSON.stringify(change)]).toEqual([code, JSON.stringify(change)])
    expect(existsSync(host.device.path('x'))).toBe(false)
  })
})

describeAgent('the first line of a list of boot blocks', (shell) => {
  it('the agent reads a valid size and a hash from a list of boot blocks, or refuses it', async () => {
    const host = await AgentHost.under(shell)
    const good = `768 ${HASH}`
    const lines = [
      ...[good, `  768   ${HASH} `, '', '768', HASH, `0768 ${HASH}`, `769 ${HASH}`, `-1 ${HASH}`, `0x10 ${HASH}`],
      ...[
        `9999999999999999 ${HASH}`,
        `999999999999999 ${HASH}`,
        `768 ${HASH} x`,
        `768 $(touch x)`,
        `$(touch x) ${HASH}`,
      ],
      ...[`a[$(touch x)] ${HASH}`, `blocks ${HASH}`, `768\\ ${HASH}`, `768\t${HASH}`],
      ...Array.from({ length: 40 }, (_, place) => {
        const random = randomFrom(12, place)
        const bytes = Buffer.from(good)
        for (let count = 1 + Math.floor(random() * 2); count > 0; count--)
          bytes[Math.floor(random() * random() * bytes.length)] = Math.floor(random() * 256)
        return bytes.toString('latin1')
      }),
    ]
    for (const [index, line] of lines.entries())
      host.device.write(`lines/${String(index).padStart(3, '0')}`, Buffer.from(`${line}\n`, 'latin1'))
    const read = `mkdir -p "$WORK"
      for each in "$FAKE_ROOT"/lines/*; do
        ( (read_boot_tree && echo "$(cat "$WORK/boot.size")") <"$each"; ) || :
      done`
    const taken = host.shell(read).stdout.trimEnd().split('\n')
    expect(taken).toHaveLength(lines.length)
    const refused = taken.filter((line) => line.startsWith('{"error":{"code":"usage"'))
    const rest = taken.filter((line) => !refused.includes(line))
    expect(
      rest.filter((line) => !(/^(0|[1-9]\d*) [0-9a-f]{64}$/.test(line) && Number.parseInt(line, 10) <= 768)),
    ).toEqual([])
    expect([rest.length >= 2, refused.length > 20]).toEqual([true, true])
    expect(existsSync(host.device.path('x'))).toBe(false)
  })

  it('the agent answers a malformed list of boot blocks', async () => {
    const host = await AgentHost.under(shell)
    host.device.write('run/update/begun', '')
    for (const line of ['', '09 x\n', `08 ${HASH}\n`]) {
      expect(host.call(['write', 'missing', OWNER, 'boot'], line).error).toBe('usage')
    }
  })
})
