import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unitFiles } from '../../../../overlays/base/units.ts'
import { textAt } from '../../../helpers/file-tree.ts'
import { onPath } from '../../../helpers/pretend-device.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SHELLCHECK = onPath('shellcheck')
const DEVICE = 'overlays/base/device'

const scripts = [...readdirSync(join(PROJECT, DEVICE)).map((name) => `${DEVICE}/${name}`), 'images/initramfs/init'].map(
  (path) => [path, readFileSync(join(PROJECT, path), 'utf8')] as const,
)
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
  it.each([...scripts, ['the generator of consoles', generator] as const])(
    '%s is what shellcheck calls POSIX',
    (_path, text) => {
      expect(complaints(text)).toBe('')
    },
  )

  it('would be complained of otherwise', () => {
    expect(complaints('#!/bin/sh\n[[ $1 == a ]] && echo $2\n')).toContain('SC3010')
  })
})
