import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unitFiles } from '../../../../overlays/base/units.ts'
import { updateFiles } from '../../../../overlays/base/update.ts'
import { textAt } from '../../../helpers/file-tree.ts'
import { onPath } from '../../../helpers/pretend-device.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SHELLCHECK = onPath('shellcheck')

const below = (directory: string) =>
  readdirSync(join(PROJECT, directory))
    .filter((name) => name.endsWith('.sh'))
    .map((name) => `${directory}/${name}`)
const scripts = [
  ...below('overlays/device/system'),
  ...below('overlays/device/agent'),
  'overlays/device/initramfs/init',
].map((path) => [path, readFileSync(join(PROJECT, path), 'utf8')] as const)
const facts = updateFiles({ name: 'tiny', board: 'raspberry-pi-5', time: 1, number: 1, signingKeys: [] })
const generator = textAt(unitFiles({ data: [], shell: 'none' }), '/usr/lib/systemd/system-generators/hangar-console')

function complaints(text: string): string {
  // SC2013: what the kernel lists in one line is meant to be split into words.
  const { stdout, stderr } = spawnSync(SHELLCHECK ?? '', ['-s', 'sh', '-e', 'SC2013', '-'], {
    input: text,
    encoding: 'utf8',
  })
  return stdout + stderr
}

if (SHELLCHECK === undefined) console.warn("skipped: scripts for devices, which want 'shellcheck' in PATH")

describe.skipIf(SHELLCHECK === undefined)('scripts for devices', () => {
  const made = [
    ['the generator of consoles', generator],
    ["the agent's facts", textAt(facts, '/usr/lib/hangar/facts')],
  ] as const
  it.each([...scripts, ...made])('%s is what shellcheck calls POSIX', (_path, text) => {
    expect(complaints(text)).toBe('')
  })

  it('would be complained of otherwise', () => {
    expect(complaints('#!/bin/sh\n[[ $1 == a ]] && echo $2\n')).toContain('SC3010')
  })
})
