import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser'
import { describe, expect, it } from 'vitest'
import { hostNames } from '../../builder/hosts/load.ts'
import { PROJECT } from '../helpers/toolchain.ts'

const DIRECTORY = join(PROJECT, '.github/workflows')
const FILES = readdirSync(DIRECTORY)
const read = (name: string) => readFileSync(join(DIRECTORY, name), 'utf8')

/** What GitHub's own parser says against a workflow. */
function complaints(name: string, content: string): string[] {
  const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
  return context.errors.getErrors().map((error) => error.message)
}

describe('a workflow', () => {
  it.each(FILES)('%s is one by the schema of those who run it', (name) => {
    expect(complaints(name, read(name))).toEqual([])
  })

  it('would not be one with a mistyped key', () => {
    const broken = read('images.yml').replace('runs-on:', 'run-on:')
    expect(complaints('images.yml', broken)).toContainEqual(expect.stringContaining("Unexpected value 'run-on'"))
  })

  it.each(FILES)('%s runs only what an owner can type', (name) => {
    const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'))
    const typed = [...read(name).matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, script]) => script)
    expect(typed.length).toBeGreaterThan(0)
    expect(typed.filter((script) => !(script !== undefined && script in scripts))).toEqual([])
  })
})

describe('images.yml', () => {
  it('builds every host', () => {
    const [, listed = ''] = /^ +host: \[(.*)\]$/m.exec(read('images.yml')) ?? []
    expect(listed.split(', ').sort()).toEqual([...hostNames(PROJECT)].sort())
  })
})
