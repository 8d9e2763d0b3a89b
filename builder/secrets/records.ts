import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SecretName } from '../../images/secrets/secret-name.ts'
import {
  parseSecretRecords,
  SECRET_RECORDS,
  type SecretRecord,
  type SecretRecords,
  secretRecordsText,
} from '../../images/secrets/secret-records.ts'
import { replaceFile } from '../../lib/atomic-file.ts'

/** The records of all secrets; empty in a lab without secrets. */
export function secretRecords(project: string): SecretRecords {
  const file = join(project, SECRET_RECORDS)
  return existsSync(file) ? parseSecretRecords(readFileSync(file, 'utf8')) : {}
}

export function secretRecord(project: string, name: SecretName): SecretRecord | undefined {
  return secretRecords(project)[name]
}

/** Replaces the record of one secret. The caller holds the lock of `hosts/`. */
export async function writeSecretRecord(project: string, name: SecretName, record: SecretRecord): Promise<void> {
  const text = secretRecordsText({ ...secretRecords(project), [name]: record })
  await replaceFile(join(project, SECRET_RECORDS), text, { exclusive: true })
}
