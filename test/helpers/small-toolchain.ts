import { readFileSync } from 'node:fs'
import { openStore } from '../../builder/store/directory.ts'
import type { Fetch } from '../../builder/toolchain/toolchain.ts'
import type { Architecture } from '../../images/architecture.ts'
import type { Toolchain } from '../../images/derivation.ts'
import { lockedPackage } from './derivation.ts'
import { type SmallDeb, smallDeb } from './small-deb.ts'
import { tempDirectory } from './temp.ts'

/** A store and a toolchain of small packages. `fetched` lists the packages that were fetched. */
export async function smallToolchain(debs: readonly SmallDeb[], architecture: Architecture = 'amd64', root?: string) {
  const store = await openStore(root ?? (await tempDirectory()))
  const made = await tempDirectory()
  const files = new Map(debs.map((deb) => [deb.name, readFileSync(smallDeb(made, deb))]))
  const packages = await Promise.all(
    [...files].map(async ([name, bytes]) =>
      lockedPackage(name, { size: bytes.length, sha256: await store.putBytes(bytes), architecture }),
    ),
  )
  const fetched: string[] = []
  const fetch: Fetch = async (wanted) => {
    for (const each of wanted) {
      fetched.push(each.package)
      await store.putBytes(files.get(each.package) ?? '')
    }
  }
  const toolchain: Toolchain = { name: 'small', architecture, packages }
  return { store, fetch, fetched, toolchain }
}
