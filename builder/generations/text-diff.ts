import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'

/** The difference of two texts in the format of `diff -u`; empty when they are equal. */
export function textDiff(name: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return ''
  const [from, to] = [before === undefined ? '/dev/null' : `a${name}`, after === undefined ? '/dev/null' : `b${name}`]
  return createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, {
    context: 2,
    headerOptions: FILE_HEADERS_ONLY,
  })
}
