import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { copyProject, runIn } from '../helpers/project.ts'

const SERVICE = 'overlays/services/alertmanager/service.ts'

/** A project whose alertmanager has one more certificate. */
function projectWithCertificate() {
  const project = copyProject()
  onTestFinished(project.remove)
  const file = join(project.directory, SERVICE)
  const before = readFileSync(file, 'utf8')
  const after = before.replace(
    "  name: 'alertmanager',\n",
    "  name: 'alertmanager',\n  certificates: () => ({ probe: { about: 'a test', usages: ['server'] } }),\n",
  )
  expect(after).not.toBe(before)
  writeFileSync(file, after)
  const hangar = (...args: string[]) => runIn({ cwd: project.directory }, process.execPath, 'cli/hangar.mjs', ...args)
  return { directory: project.directory, hangar }
}

describe('the compiled program', () => {
  // The X.509 library is a CommonJS package that needs another package loaded before it: a bundler may break either.
  it('issues a certificate that openssl accepts', async () => {
    const { directory, hangar } = projectWithCertificate()
    const issued = await hangar('certs', 'issue')
    expect(issued).toMatchObject({ code: 0, stdout: expect.stringContaining('issued certificate adama-probe') })
    const files = ['hosts/certificates/ca.pem', 'hosts/certificates/adama-probe.pem'] as const
    const verified = await runIn({ cwd: directory }, 'openssl', 'verify', '-x509_strict', '-CAfile', ...files)
    expect(verified).toMatchObject({ code: 0, stdout: `${files[1]}: OK\n` })
    const listed = await hangar('certs')
    expect(listed.stdout).toMatch(/^adama-probe +probe +adama +server .* valid /m)
  })
})
