import { describe, expect, it } from 'vitest'
import { unixTextProblem } from '../../images/unix-text.ts'
import { scriptsIn } from '../../overlays/device/manifest.ts'
import { realDeviceTexts } from '../helpers/device-texts.ts'

describe('unixTextProblem', () => {
  it.each([
    ['a text', 'a\nb\n'],
    ['an empty text', ''],
    ['a script', '#!/bin/sh\necho\n'],
    ['a script with an option', '#!/bin/sh -eu\necho\n'],
    ['a script with a space', '#! /bin/sh\necho\n'],
    ['a script that another one reads', '#!/bin/sh\necho\n'],
    ['a part of a script', 'echo\n'],
  ] as const)('accepts %s', (_, text) => {
    expect(unixTextProblem(text)).toBeUndefined()
  })

  it.each([
    ['Windows line endings', '#!/bin/sh\r\necho\r\n', 'line 1 has a carriage return'],
    ['a carriage return in the middle', 'a\nb\rc\n', 'line 2 has a carriage return'],
    ['a carriage return at the end', 'a\n\r', 'line 2 has a carriage return'],
    ['an interpreter that no image has', '#!/usr/bin/python3\n', "its interpreter is '/usr/bin/python3'"],
    ['env as its interpreter', '#!/usr/bin/env sh\n', "its interpreter is '/usr/bin/env'"],
    ['an empty interpreter', '#!\n', "its interpreter is ''"],
  ] as const)('refuses a text with %s', (_, text, problem) => {
    expect(unixTextProblem(text)).toContain(problem)
  })
})

describe('the scripts of an image', () => {
  it.each(['host', 'initramfs'] as const)('in the %s can run there', (place) => {
    const scripts = [...scriptsIn(place, realDeviceTexts())]
    expect(scripts.length).toBeGreaterThan(2)
    for (const [{ path }, text] of scripts) expect([path, unixTextProblem(text)]).toEqual([path, undefined])
  })

  it('in the initramfs need only the shell, and /init names it', () => {
    const texts = new Map([...scriptsIn('initramfs', realDeviceTexts())].map(([{ path }, text]) => [path, text]))
    expect(texts.get('/init')).toMatch(/^#!\/bin\/sh\n/)
    for (const text of texts.values()) expect(text).not.toMatch(/^#!(?!\/bin\/sh\n)/)
  })
})
