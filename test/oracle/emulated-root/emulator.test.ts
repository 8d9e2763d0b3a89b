import { describe, expect, it } from 'vitest'
import { handlerFor, parseHandler, renamed } from './emulator.ts'

const REGISTRATION = String.raw`:qemu-aarch64:M::\x7f\x45\x4c\x46\x02\x01\x01\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xfe\xff\xff\xff:/usr/libexec/qemu-binfmt/aarch64-binfmt-P:OP`
const OTHERS = `enabled
interpreter /usr/bin/qemu-aarch64-static
flags: OCF
offset 0
magic 7f454c46020101000200b700
mask ffffffffffffff00feffffff
`

describe('a binfmt_misc handler', () => {
  it('parses a binfmt_misc handler from the text of the kernel', () => {
    expect(parseHandler('qemu-aarch64', OTHERS)).toEqual({
      name: 'qemu-aarch64',
      enabled: true,
      flags: 'OCF',
      magic: '7f454c46020101000200b700',
    })
    expect(parseHandler('x', 'disabled\ninterpreter /x\nflags: \nextension .exe\n')).toEqual({
      name: 'x',
      enabled: false,
      flags: '',
      magic: '',
    })
  })

  it('finds a binfmt_misc handler of another name by its magic bytes', () => {
    const other = parseHandler('anything', OTHERS)
    expect(handlerFor(REGISTRATION, [parseHandler('python', 'enabled\nmagic cb0d0d0a\n'), other])).toBe(other)
    expect(handlerFor(REGISTRATION, [parseHandler('python', 'enabled\nmagic cb0d0d0a\n')])).toBeUndefined()
  })

  it("hangar's binfmt_misc handler has its own name and flag F", () => {
    expect(renamed(REGISTRATION)).toBe(`${REGISTRATION.replace('qemu-aarch64', 'hangar-oracle')}F`)
    expect(renamed(`${REGISTRATION}F`)).toBe(`${REGISTRATION.replace('qemu-aarch64', 'hangar-oracle')}F`)
  })
})
