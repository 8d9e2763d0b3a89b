import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Command } from '../../cli/command.ts'
import { commandHelp, topLevelHelp } from '../../cli/help.ts'
import { parserOf } from '../../cli/program.ts'
import { COMMANDS } from '../../main.ts'
import { PROJECT } from '../helpers/toolchain.ts'

const SCRIPTS: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(PROJECT, 'package.json'), 'utf8'),
).scripts

/** The arguments that hangar receives from `npm run SCRIPT words -- flags`. */
function argumentsOf(line: string): string[] {
  const [npm, run, script = '', ...words] = line.split(' ')
  expect([npm, run]).toEqual(['npm', 'run'])
  const [node, file, ...command] = SCRIPTS[script]?.split(' ') ?? []
  expect([node, file]).toEqual(['node', 'cli/hangar.mjs'])
  const separator = words.indexOf('--')
  // npm takes every flag before `--`.
  expect(words.slice(0, separator < 0 ? undefined : separator).filter((word) => word.startsWith('-'))).toEqual([])
  return [...command, ...words.filter((word) => word !== '--')]
}

async function parse(args: readonly string[]) {
  const parsed: { name: string; words: readonly string[]; flags: object }[] = []
  const parser = parserOf(
    COMMANDS,
    () => '',
    async ({ name }, words, flags) => void parsed.push({ name, words: [...words], flags }),
  )
  await parser.parseAsync([...args], { from: 'user' })
  return parsed
}

/** Words that must not begin an option description, because no verb or noun phrase begins with them. */
const FUNCTION_WORD =
  /^(a|also|an|as|at|but|by|for|from|how|if|in|it|of|on|only|so|that|the|there|these|this|those|to|too|what|when|where|which|who|whose|with|without)\b/

const byName = COMMANDS.map((command): [string, Command] => [command.name, command])

describe.each(byName)('the help of %s', (name, command) => {
  it('the summary of a command is one short phrase', () => {
    expect(command.summary).toMatch(/^[a-z].{10,65}[^.]$/)
    expect(command.summary).not.toMatch(FUNCTION_WORD)
  })

  it('the help has at least one example, and each example is a command line of this command', async () => {
    expect(command.examples.length).toBeGreaterThan(0)
    for (const { line } of command.examples) {
      expect(await parse(argumentsOf(line)), line).toMatchObject([{ name }])
    }
  })

  it('the help describes each option with a phrase that begins with a lower-case verb or noun and has no period', () => {
    for (const { flags, about } of command.options) {
      expect(about, flags).toMatch(/^[a-z]/)
      expect(about, flags).not.toMatch(FUNCTION_WORD)
      expect(about, flags).not.toMatch(/\.$/)
    }
  })

  it('the help fits into 120 columns', () => {
    const tooLong = commandHelp(command)
      .split('\n')
      .filter((line) => line.length > 120)
    expect(tooLong).toEqual([])
  })
})

describe('the help of flags', () => {
  it('the help gives the default of each option with a value, except for options that select another action', () => {
    const gaps = COMMANDS.flatMap(({ name, options }) =>
      options
        .filter(({ flags, about, required }) => flags.includes('<') && !required && !about.includes('default'))
        .map(({ flags }) => `${name} ${flags}`),
    )
    // These options have no default, because they select another action.
    expect(gaps).toEqual([
      'build --generation <number>',
      'init --rotate <key>',
      'init --adopt <fingerprint>',
      'flash --disk <disk>',
      'diff --against <directory>',
    ])
  })
})

describe('parserOf', () => {
  it('passes words and flags to the command', async () => {
    expect(await parse(['diff', 'adama', '3', '7', '--no-files'])).toEqual([
      { name: 'diff', words: ['adama', '3', '7'], flags: { files: false } },
    ])
    expect(await parse(['store', 'verify'])).toEqual([{ name: 'store verify', words: [], flags: {} }])
    expect(await parse(['flash', 'adama', 'starbuck', '--trial-seconds', '60'])).toEqual([
      { name: 'flash', words: ['adama', 'starbuck'], flags: { build: true, trialSeconds: '60' } },
    ])
  })

  it('leaves --frozen undefined unless the command line has it', async () => {
    const frozen = async (...flags: string[]) => (await parse(['build', 'adama', ...flags])).map((each) => each.flags)
    expect(await frozen()).toEqual([{}])
    expect(await frozen('--frozen')).toEqual([{ frozen: true }])
    expect(await frozen('--no-frozen')).toEqual([{ frozen: false }])
  })

  it('publish requires --to, and pull requires --from', async () => {
    await expect(parse(['publish', 'adama'])).rejects.toThrow("required option '--to <repository>' not specified")
    await expect(parse(['pull', 'adama'])).rejects.toThrow("required option '--from <repository>' not specified")
  })
})

describe('topLevelHelp', () => {
  it('lists all commands by group, and ends with the next command', () => {
    expect(topLevelHelp(COMMANDS, 'npm run build:image adama')).toMatchInlineSnapshot(`
      "Build immutable images for the machines of a home lab, and flash them to A/B slots.

      Usage: hangar <command> [arguments] [options]

      Build images:
        build [hosts...]          build the images of hosts (default: all hosts)
        check                     check the lab and all hosts without building
        lock                      resolve packages of all hosts into the lock files
        vm <hosts...>             boot the built images of hosts in virtual machines

      Set up and update hosts:
        init <host>               create the identity of a host, before its first build
        flash <hosts...>          build and update hosts over SSH, or write a disk
        revert <host>             boot the previous slot of a host and commit it
        status [host]             show what hosts run and the result of the last update

      Manage secrets and certificates:
        secrets                   list the secrets of the lab, and who can decrypt them
        secrets set <name>        set the value of a secret
        secrets generate          generate the random secrets that are missing
        secrets rotate <name>     replace the value of a secret by a new one
        secrets edit <name>       edit the value of a secret in $EDITOR
        certs                     list the certificates of the lab, and when they expire
        certs issue               issue and renew the certificates of all hosts
        certs rotate <name>       replace a certificate and its private key
        certs ca                  show the internal CA of the lab, or replace it

      Compare and keep generations:
        generations <host>        list the generations of a host in this store, newest first
        diff <host> [numbers...]  compare two generations of a host
        pin <host> <number>       protect a generation from gc
        unpin <host> <number>     allow gc to delete a pinned generation again
        gc                        delete expired generations and unused objects from the store

      Publish images:
        publish <host>            copy a generation to a remote repository
        pull <host>               copy a published image into the store and out/HOST
        export <host>             write the disk image for download, with SBOM and digests

      Check the store:
        store verify              verify every object and toolchain, and remove corrupt ones

      Options:
        -h, --help                show this help, or the help of a command

      See 'npm run hangar -- COMMAND --help' for the options and examples of a command.
      With npm, put options after '--': npm run hangar -- build adama --offline

      next: npm run build:image adama"
    `)
  })
})
