import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { unitFiles } from '../../../../overlays/base/units.ts'
import { updateFiles } from '../../../../overlays/base/update.ts'
import { DEVICE_FILES, deviceSources } from '../../../../overlays/device/manifest.ts'
import { RENEW } from '../../../../overlays/services/caddy/renew.ts'
import { onPath } from '../../../helpers/fake-device.ts'
import { textAt } from '../../../helpers/file-tree.ts'
import { PROJECT } from '../../../helpers/toolchain.ts'

const SHELLCHECK = onPath('shellcheck')

const scripts = deviceSources(DEVICE_FILES.filter(({ kind }) => kind === 'script')).map((source) => {
  const path = `overlays/device/${source}`
  return [path, readFileSync(join(PROJECT, path), 'utf8')] as const
})
const facts = updateFiles({ name: 'tiny', board: 'raspberry-pi-5', time: 1, number: 1, signingKeys: [] })
const generator = textAt(unitFiles({ data: [], shell: 'none' }), '/usr/lib/systemd/system-generators/hangar-console')

function problems(text: string): string {
  // SC2013 warns about reading words instead of lines. The scripts read the words of the kernel's one-line files on purpose.
  const { stdout, stderr } = spawnSync(SHELLCHECK ?? '', ['-s', 'sh', '-e', 'SC2013', '-'], {
    input: text,
    encoding: 'utf8',
  })
  return stdout + stderr
}

if (SHELLCHECK === undefined) console.warn("skipped: the check of shell scripts, because 'shellcheck' is not in PATH")

describe.skipIf(SHELLCHECK === undefined)('each shell script', () => {
  const made = [
    ['the generator of consoles', generator],
    ['the renewal of external certificates', RENEW],
    ["the agent's facts", textAt(facts, '/usr/lib/hangar/facts')],
  ] as const
  it('shellcheck accepts the script of the bare root', () => {
    expect(problems(readFileSync(join(PROJECT, 'test/bare-root.sh'), 'utf8'))).toBe('')
  })

  it.each([...scripts, ...made])('shellcheck accepts the script %s', (_path, text) => {
    expect(problems(text)).toBe('')
  })

  it('shellcheck reports a script that is not POSIX (negative control)', () => {
    expect(problems('#!/bin/sh\n[[ $1 == a ]] && echo $2\n')).toContain('SC3010')
  })
})
