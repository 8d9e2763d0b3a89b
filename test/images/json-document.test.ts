import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type DocumentProblem, parseJsonDocument } from '../../images/json-document.ts'

const schema = z.strictObject({ format: z.literal([1, 2]), size: z.object({ bytes: z.number() }) })
const parse = (text: string) =>
  parseJsonDocument(text, {
    formats: [1, 2],
    schema,
    fail: (problem: DocumentProblem, reason) => new Error(`${problem}: the file ${reason}`),
  })

describe('parseJsonDocument', () => {
  it('returns a document that has a known format and fits the schema', () => {
    expect(parse('{"format":2,"size":{"bytes":1}}')).toEqual({ format: 2, size: { bytes: 1 } })
  })

  it('refuses a text that is not JSON', () => {
    expect(() => parse('{"format":')).toThrow(/^not-json: the file is not JSON: /)
  })

  it.each([
    ['3', '{"format":3,"unknown":true}'],
    ['undefined', '{}'],
    ['undefined', 'null'],
  ])('refuses the format %s before it reads the fields', (format, text) => {
    expect(() => parse(text)).toThrow(`other-format: the file has format ${format}, this hangar reads format 1 or 2`)
  })

  it('names the JSON field that does not fit the schema', () => {
    expect(() => parse('{"format":1,"size":{"bytes":"1"}}')).toThrow(/^damaged: the file is damaged at 'size.bytes': /)
  })
})
