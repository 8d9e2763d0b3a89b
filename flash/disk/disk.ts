/** What is written to: a device, a file, or a test's. */
export interface Disk {
  readonly path: string
  /** Bytes. */
  readonly size: number
  write(offset: number, bytes: Uint8Array): Promise<void>
  /** Everything written before is on the disk when this returns. */
  flush(): Promise<void>
  /** As the disk has it, whatever memory holds; in pieces. */
  read(offset: number, size: number): AsyncIterable<Uint8Array>
}
