/** The name of a call, without owner, sizes and flags: `write blocks slot`. */
export function callName([verb = '', inner = '', , part = '']: readonly string[]): string {
  if (verb !== 'write') return verb
  return ['write', inner, /^(slot|boot)$/.test(part) ? part : ''].filter(Boolean).join(' ')
}

export async function* noInput(): AsyncGenerator<Uint8Array> {}

export async function wholeInput(input: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of input) pieces.push(piece)
  return Buffer.concat(pieces)
}
