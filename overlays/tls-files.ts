import type { ContainerFile } from './container.ts'

/** The files with which a program proves that it is a subject, and verifies others. */
export interface TlsFiles {
  readonly ca: string
  readonly certificate: string
  readonly key: string
  /** The files of the container. */
  readonly files: Readonly<Record<string, ContainerFile>>
}

/** The certificate of a subject, its key and the lab's internal CA, as files in a directory of a container. */
export function tlsFiles(directory: string, subject: string): TlsFiles {
  const [ca, certificate, key] = ['ca.pem', `${subject}.pem`, `${subject}.key`].map(
    (name) => `${directory}/${name}`,
  ) as [string, string, string]
  return {
    ca,
    certificate,
    key,
    files: {
      [ca]: { kind: 'ca' },
      [certificate]: { kind: 'certificate', subject },
      [key]: { kind: 'certificate-key', subject },
    },
  }
}
