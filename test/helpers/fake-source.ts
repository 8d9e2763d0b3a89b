import { Buffer } from 'node:buffer'
import { GoneError, type Source } from '../../builder/sources/source.ts'
import { canonicalJson } from '../../images/canonical.ts'
import { digestOf } from '../../images/digest.ts'
import type { LockedFile, SourceRequest } from '../../images/locked-file.ts'

export const WORDS = 'words'

/** A request for the current text of a word in the dictionary. */
export type WordRequest = SourceRequest & { readonly source: typeof WORDS; readonly word: string }

export interface WordFile extends LockedFile {
  readonly source: typeof WORDS
}

/** Word -> the file of its text. */
export interface WordLock {
  readonly time: number
  readonly words: Readonly<Record<string, WordFile>>
}

const EMPTY: WordLock = { time: 1, words: {} }

/**
 * A minimal source: files are texts of words, the version of a file is its length, and the server is a map that a test
 * changes. No other code of hangar knows this source.
 */
export function fakeSource(dictionary: Map<string, string>) {
  const fileOf = (word: string, text: string): WordFile => ({
    source: WORDS,
    package: word,
    version: String(text.length),
    path: `words/${word}`,
    size: Buffer.byteLength(text),
    sha256: digestOf(text),
  })
  const source: Source<WordRequest, WordLock, WordFile> = {
    name: WORDS,
    lockFile: 'words.lock.json',
    empty: EMPTY,
    parse: (text) => JSON.parse(text) as WordLock,
    text: (lock) => `${canonicalJson(lock as never)}\n`,
    time: ({ time }) => time,
    nameOf: ({ word }) => `word ${word}`,
    names: ({ words }) => Object.keys(words).map((word) => `word ${word}`),
    locked: ({ words }, { word }) => (words[word] === undefined ? undefined : [words[word]]),
    files: ({ words }) => Object.values(words),
    toolchains: () => [],
    async resolve(wanted, current, mode) {
      const gone = new Set(mode.kind === 'gone' ? mode.gone.map(({ sha256 }) => sha256) : [])
      const kept = Object.entries(current.words).filter(([, { sha256 }]) => !gone.has(sha256))
      const words = mode.kind === 'update' ? {} : Object.fromEntries(kept)
      const lost = Object.keys(current.words).filter((word) => mode.kind === 'gone' && words[word] === undefined)
      const open = [...wanted.map(({ word }) => word), ...lost].filter((word) => words[word] === undefined)
      if (open.length === 0) return current
      for (const word of open) words[word] = fileOf(word, dictionary.get(word) ?? '')
      return { time: current.time + 1, words }
    },
    async fetch(files, { store }) {
      const missing = files.filter(({ sha256 }) => !store.has(sha256))
      const gone = missing.filter((file) => digestOf(dictionary.get(file.package) ?? '') !== file.sha256)
      for (const file of missing) if (!gone.includes(file)) await store.putBytes(dictionary.get(file.package) ?? '')
      if (gone.length > 0) throw new GoneError(`the dictionary no longer has '${gone[0]?.path}'`, gone)
    },
    inputs: (files) => Object.fromEntries(files.map((file) => [file.path, { locked: file }])),
    describe: (file) => ({
      name: file.package,
      version: file.version,
      architecture: '',
      purl: `pkg:generic/${file.package}@${file.version}`,
    }),
    compareVersions: (a, b) => Number(a) - Number(b),
  }
  return {
    ...source,
    lockOf: (words: Readonly<Record<string, string>>): WordLock => ({
      time: 7,
      words: Object.fromEntries(Object.entries(words).map(([word, text]) => [word, fileOf(word, text)])),
    }),
  }
}
