import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NoOperationTraceWriter, parseWorkflow } from '@actions/workflow-parser'
import { PROJECT } from './toolchain.ts'

const DIRECTORY = join(PROJECT, '.github/workflows')

export interface Step {
  readonly if?: string
  readonly uses?: string
  readonly run?: string
  readonly env?: Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, string>>
}

export interface Job {
  readonly env?: Readonly<Record<string, string>>
  readonly permissions?: Readonly<Record<string, string>>
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> }
  readonly steps: readonly Step[]
}

export interface Workflow {
  readonly defaults?: { readonly run: { readonly shell: 'bash' } }
  readonly jobs: Readonly<Record<string, Job>>
}

export const WORKFLOWS = readdirSync(DIRECTORY)

export function workflowText(name: string): string {
  return readFileSync(join(DIRECTORY, name), 'utf8')
}

/** Returns the errors that GitHub's own parser finds in a workflow. */
export function workflowErrors(name: string, content: string): string[] {
  const { context } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
  return context.errors.getErrors().map((error) => error.message)
}

/** Returns a workflow as plain objects; each expression is its text, `${{ … }}`. */
export function readWorkflow(name: string): Workflow {
  const { value } = parseWorkflow({ name, content: workflowText(name) }, new NoOperationTraceWriter())
  return plain(JSON.parse(JSON.stringify(value))) as Workflow
}

interface Token {
  readonly seq?: readonly unknown[]
  readonly map?: readonly { readonly Key: string; readonly Value: unknown }[]
  readonly expr?: string
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { seq, map, expr } = value as Token
  if (expr !== undefined) return expression(expr)
  if (seq !== undefined) return seq.map(plain)
  return Object.fromEntries((map ?? []).map(({ Key, Value }) => [Key, plain(Value)]))
}

/** The parser turns a text with expressions into one `format('…{0}…', a)`; this function restores the text. */
function expression(expr: string): string {
  const [, text, list] = /^format\('((?:[^']|'')*)', (.*)\)$/s.exec(expr) ?? []
  if (text === undefined || list === undefined) return `\${{ ${expr} }}`
  const values = list.split(', ')
  return text.replaceAll("''", "'").replace(/\{(\d+)\}/g, (_, index) => `\${{ ${values[Number(index)]} }}`)
}
