import { describe, expect, it } from 'vitest'
import { parseConfigText } from '../../../flash/vm/config-text.ts'

const onTwo = { tryboot: false, partition: 2 }

function settings(text: string, facts: Parameters<typeof parseConfigText>[1] = onTwo) {
  return Object.fromEntries(parseConfigText(text, facts).settings)
}

describe('parseConfigText on config.txt', () => {
  it('uses the last value of a setting', () => {
    expect(settings('kernel=a.img\nkernel = b.img \r\n')).toEqual({ kernel: 'b.img' })
  })

  it('skips comments and empty lines', () => {
    expect(parseConfigText('# kernel=a\n\n  \n', onTwo)).toEqual({ settings: new Map(), remarks: [] })
  })

  it('reads the initramfs line, which has no equals sign', () => {
    expect(settings('initramfs initrd.img followkernel\n')).toEqual({ initramfs: 'initrd.img' })
  })

  it.each([
    ['[tryboot]', false],
    ['[none]', false],
    ['[pi5]', true],
    ['[pi4]', false],
    ['[cm4]', false],
    ['[boot_partition=2]', true],
    ['[boot_partition=3]', false],
  ])('decides whether the section %s applies: %s', (filter, applies) => {
    expect(settings(`${filter}\ncmdline=x`)).toEqual(applies ? { cmdline: 'x' } : {})
  })

  it('applies [tryboot] on a trial', () => {
    expect(settings('[tryboot]\ncmdline=x', { ...onTwo, tryboot: true })).toEqual({ cmdline: 'x' })
  })

  it('applies a section only if filters of all kinds match, until [all]', () => {
    expect(settings('[boot_partition=3]\n[pi5]\na=1\n[all]\nb=2')).toEqual({ b: '2' })
  })

  it('replaces a filter by the next filter of the same kind', () => {
    expect(settings('[boot_partition=3]\na=1\n[boot_partition=2]\nb=2')).toEqual({ b: '2' })
  })

  it('skips the section of a filter that is not emulated, and adds a remark', () => {
    const parsed = parseConfigText('[gpio4=1]\na=1\n[all]\nb=2', onTwo)
    expect(Object.fromEntries(parsed.settings)).toEqual({ b: '2' })
    expect(parsed.remarks).toEqual(['filter [gpio4=1] is not emulated: its section is skipped'])
  })

  it('adds a remark without control characters for an unknown line', () => {
    expect(parseConfigText('\u001b[2J garbage', onTwo).remarks).toEqual([
      "line is neither a setting nor a filter: '?[2J garbage'",
    ])
  })
})

describe('parseConfigText on autoboot.txt', () => {
  const text = '[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n'

  it('reads one partition for normal boots and another for a trial', () => {
    expect(settings(text, { tryboot: false, partition: undefined }).boot_partition).toBe('2')
    expect(settings(text, { tryboot: true, partition: undefined }).boot_partition).toBe('3')
  })

  it('knows only the filters [all], [none] and [tryboot]', () => {
    const { settings, remarks } = parseConfigText('[pi5]\nboot_partition=3', { tryboot: false, partition: undefined })
    expect(settings.size).toBe(0)
    expect(remarks).toHaveLength(1)
  })
})
