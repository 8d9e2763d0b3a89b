import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { build } from 'esbuild'

/** Updates `dist/`, as every hangar command does before it starts. */
export function compile(project: string): void {
  execFileSync(process.execPath, [join(project, 'cli/hangar.mjs'), '--help'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Bundles steps with the options of `cli/bundle.mjs`. `files` is name -> path in the project. Returns name -> program. */
export async function compileSteps(
  project: string,
  files: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const { outputFiles } = await build({
    // esbuild writes the source paths into the output, and a symbolic link would change these paths.
    absWorkingDir: realpathSync(project),
    entryPoints: files,
    outdir: 'dist/steps',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { target: 'ES2023', verbatimModuleSyntax: true } },
  })
  return Object.fromEntries(outputFiles.map(({ path, text }) => [basename(path, '.mjs'), text]))
}
