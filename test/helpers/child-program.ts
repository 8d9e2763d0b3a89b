import { join } from 'node:path'
import { build } from 'esbuild'
import { PROJECT } from './toolchain.ts'

/** Compiles a program for a test to start and kill. Its imports are relative to the project (`./builder/…`). */
export async function childProgram(source: string, directory: string): Promise<string> {
  const outfile = join(directory, 'program.mjs')
  await build({
    stdin: { contents: source, resolveDir: PROJECT, loader: 'ts' },
    bundle: true,
    outfile,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    // CommonJS packages call `require`.
    banner: {
      js: "import { createRequire as testRequire } from 'node:module'; const require = testRequire(import.meta.url);",
    },
  })
  return outfile
}
