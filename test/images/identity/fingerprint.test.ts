import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fingerprintOf } from '../../../images/identity/fingerprint.ts'
import { PUBLIC_LINES } from '../../helpers/small-identity.ts'
import { HAS_SSH_KEYGEN, sshKeygen } from '../../helpers/ssh-keygen.ts'
import { tempDirectory } from '../../helpers/temp.ts'

describe('a fingerprint', () => {
  it.skipIf(!HAS_SSH_KEYGEN)('is what ssh-keygen shows', async () => {
    const file = join(await tempDirectory(), 'key.pub')
    for (const line of PUBLIC_LINES) {
      writeFileSync(file, `${line}\n`)
      expect(sshKeygen(['-l', '-f', file]).output.split(' ')[1]).toBe(fingerprintOf(line))
    }
  })

  it('does not depend on the comment', () => {
    const [line = ''] = PUBLIC_LINES
    expect(fingerprintOf(`${line} somebody`)).toBe(fingerprintOf(line))
    expect(fingerprintOf(line)).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/)
    expect(fingerprintOf(PUBLIC_LINES[1] ?? '')).not.toBe(fingerprintOf(line))
  })
})
