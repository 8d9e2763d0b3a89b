import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UserError } from '../../../errors.ts'

/** Compares transferred files with the output of `b2sum` in the engine; throws 'engine' when they differ. */
export async function requireSums(derivation: string, directory: string, said: string): Promise<void> {
  const made = parseSums(said)
  const arrived = await readdir(directory)
  for (const file of new Set([...arrived, ...made.keys()])) {
    const is = arrived.includes(file) ? await blake2(join(directory, file)) : 'missing'
    const wanted = made.get(file) ?? 'missing'
    if (is === wanted) continue
    const what = `output '${file}' of derivation '${derivation}'`
    throw new UserError('engine', `${what} arrived with digest ${short(is)}, wanted ${short(wanted)}`, {
      hint: 'the transfer changed the file: check the disk of the Dagger engine and the connection, then try again',
    })
  }
}

/** Parses lines `DIGEST NAME` to a map: name -> digest. */
function parseSums(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/^([0-9a-f]{128}) [ *](.+)$/gm)].map(([, digest = '', name = '']) => [name, digest]))
}

async function blake2(file: string): Promise<string> {
  const hash = createHash('blake2b512')
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash)
  return hash.digest('hex')
}

function short(digest: string): string {
  return digest.length > 16 ? digest.slice(0, 16) : digest
}
