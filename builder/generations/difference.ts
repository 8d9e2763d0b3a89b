import type { LayerFile } from '../../images/layers/layer-files/recipe.ts'
import { textDiff } from './text-diff.ts'

/** The content of one generation, as `diff` compares it. */
export interface Contents {
  readonly number: number
  readonly root: string
  readonly built: string
  readonly revision: string | null
  /**
   * Package versions: derivation (`base`, `container-grafana`, `initramfs`, …) -> package -> version. Null if the
   * generation has no dependency graph.
   */
  readonly packages: Named<string> | null
  /** Package versions of the toolchains that built the image, in the form of `packages`. */
  readonly programs: Named<string> | null
  /**
   * Files: layer -> path -> file. Undefined for a layer that both images have, and for a layer that hangar did not
   * list.
   */
  readonly files: ReadonlyMap<string, ReadonlyMap<string, LayerFile> | undefined>
  /** Text files that this project writes: name of a layer, or `boot` -> path -> text. */
  readonly texts: Named<string>
  /** Container -> digest of its layer. */
  readonly containers: ReadonlyMap<string, string>
  /** Sizes in bytes, by the name of the layer or image. */
  readonly sizes: ReadonlyMap<string, number>
}

export type Named<T> = ReadonlyMap<string, ReadonlyMap<string, T>>

/**
 * An entry that two generations have in different forms. Without `before` it is new; without `after` it was removed.
 */
export interface Moved<T> {
  readonly where: string
  readonly name: string
  readonly before?: T
  readonly after?: T
}

export interface Difference {
  readonly from: Pick<Contents, 'number' | 'root' | 'built' | 'revision'>
  readonly to: Pick<Contents, 'number' | 'root' | 'built' | 'revision'>
  /** Changed packages; null if one of the two generations has no dependency graph. */
  readonly packages: readonly Moved<string>[] | null
  readonly programs: readonly Moved<string>[] | null
  readonly files: readonly Moved<LayerFile>[]
  /** Changed configuration files; `diff` is text in the format of `diff -u`. */
  readonly configuration: readonly { readonly where: string; readonly name: string; readonly diff: string }[]
  readonly containers: readonly { readonly name: string; readonly change: 'added' | 'removed' | 'changed' }[]
  /** The changed sizes of layers and images, in bytes. */
  readonly sizes: readonly { readonly name: string; readonly before: number | null; readonly after: number | null }[]
}

/** Computes what changed from one generation to another. */
export function differenceOf(from: Contents, to: Contents): Difference {
  return {
    from: nameOf(from),
    to: nameOf(to),
    packages: from.packages === null || to.packages === null ? null : moved(from.packages, to.packages),
    programs: from.programs === null || to.programs === null ? null : moved(from.programs, to.programs),
    files: moved(known(from.files), known(to.files)),
    configuration: moved(from.texts, to.texts).map(({ where, name, before, after }) => ({
      ...{ where, name },
      diff: textDiff(name, before, after),
    })),
    containers: moved(only(from.containers), only(to.containers)).map(({ name, before, after }) => ({
      name,
      change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
    })),
    sizes: moved(only(from.sizes), only(to.sizes)).map(({ name, before, after }) => ({
      ...{ name, before: before ?? null, after: after ?? null },
    })),
  }
}

function nameOf({ number, root, built, revision }: Contents) {
  return { number, root, built, revision }
}

function moved<T>(from: Named<T>, to: Named<T>): Moved<T>[] {
  return union(from, to).flatMap((where) => {
    const [old, now] = [from.get(where) ?? new Map<string, T>(), to.get(where) ?? new Map<string, T>()]
    return union(old, now).flatMap((name) => {
      const [before, after] = [old.get(name), now.get(name)]
      if (JSON.stringify(before) === JSON.stringify(after)) return []
      return [{ where, name, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
    })
  })
}

function union(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].sort()
}

function known<T>(files: ReadonlyMap<string, ReadonlyMap<string, T> | undefined>): Named<T> {
  return new Map([...files].flatMap(([layer, listed]) => (listed === undefined ? [] : [[layer, listed]])))
}

function only<T>(values: ReadonlyMap<string, T>): Named<T> {
  return new Map([['', values]])
}
