import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unitFiles } from '../../../../overlays/base/units.ts'
import { updateFiles } from '../../../../overlays/base/update.ts'
import { DEVICE_FILES, deviceSources } from '../../../../overlays/device/manifest.ts'
import { textAt } from '../../../helpers/file-tree.ts'
import { onPath } from '../../../helpers/pretend-device.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SHELLCHECK = onPath('shellcheck')

const scripts = deviceSources(DEVICE_FILES.filter(({ kind }) => kind === 'script')).map((source) => {
  const path = `overlays/device/${source}`
  return [path, readFileSync(join(PROJECT, path), 'utf8')] as const
})
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
