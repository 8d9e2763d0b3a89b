/** Options of mkfs.erofs for every layer; `docs/decisions/0001-layer-compression.md` has the table they were chosen by. */
export const EROFS_OPTIONS: readonly string[] = ['-zlz4hc,6', '-C32768']
