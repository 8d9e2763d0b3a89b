/**
 * The line, counted from 1, of a nested key in the argument of `host({ … })` or `defineLab({ … })`:
 * `['network', 'dns']`. The line of the innermost key that exists; undefined if no key exists or the path is empty.
 */
export function lineOf(source: string, path: readonly string[]): number | undefined {
  const keys = keysOf(source)
  // List elements have no key: the line of the list is used.
  const index = path.findIndex((key) => /^\d+$/.test(key))
  const named = index === -1 ? path : path.slice(0, index)
  for (let length = named.length; length > 0; length--) {
    const wanted = JSON.stringify(named.slice(0, length))
    const found = keys.find((key) => JSON.stringify(key.path) === wanted)
    if (found !== undefined) return source.slice(0, found.index).split('\n').length
  }
  return undefined
}

interface Key {
  readonly path: readonly string[]
  /** Its place in the source. */
  readonly index: number
}

/** Comments, strings, words, and single characters. Comments come first, so that no key is found inside one. */
const TOKEN = /\/\/.*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`|[\w$]+|\.\.\.|\S/g

/** The keys of the object literal that is the argument of the first call, with those of nested literals. */
function keysOf(source: string): Key[] {
  const start = /\b(?:host|defineLab)\(\s*\{/.exec(source)
  if (start === null) return []
  const keys: Key[] = []
  /** Open brackets. Only an object literal in a value of a key has keys of the host file. */
  const open: { readonly path: readonly string[] | undefined }[] = []
  let last: Key | undefined
  let expectsKey = false
  for (const { 0: token, index } of tokens(source, start.index + start[0].length - 1)) {
    const path = open.at(-1)?.path
    if ('{[('.includes(token)) {
      open.push({ path: token !== '{' ? undefined : open.length === 0 ? [] : expectsKey ? undefined : last?.path })
      last = undefined
      expectsKey = token === '{'
    } else if ('}])'.includes(token)) {
      open.pop()
      last = undefined
      expectsKey = false
      if (open.length === 0) break
    } else if (token === ',') {
      expectsKey = true
      last = undefined
    } else if (expectsKey && path !== undefined && /^['"\w$]/.test(token)) {
      last = { path: [...path, token.replace(/^(['"])(.*)\1$/, '$2')], index }
      keys.push(last)
      expectsKey = false
    } else if (token !== ':') {
      expectsKey = false
      last = undefined
    }
  }
  return keys
}

function tokens(source: string, from: number): RegExpExecArray[] {
  const found = [...source.slice(from).matchAll(TOKEN)].filter(([token]) => !/^\/[/*]/.test(token))
  return found.map((each) => Object.assign(each, { index: each.index + from }))
}
