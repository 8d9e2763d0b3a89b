import { UserError } from '../../errors.ts'
import type { Reporter } from '../../lib/reporter.ts'
import { type Choice, chooseRunner, type RunnerSetting } from './choice.ts'
import type { DaggerRunnerOptions } from './dagger.ts'
import { localRunner } from './local.ts'
import { missingDerivations } from './missing.ts'
import type { Runner } from './runner.ts'
import { surveyMachine } from './survey.ts'

export interface ChosenRunnerOptions extends DaggerRunnerOptions {
  readonly setting: RunnerSetting
  readonly env: NodeJS.ProcessEnv
}

/** The runner that the user asks for. `auto` surveys the machine only when a derivation has to run. */
export function chosenRunner(options: ChosenRunnerOptions): Runner {
  const { store, setting } = options
  const local = localRunner(options)
  let chosen: Promise<Choice> | undefined
  return {
    async realise(wanted, reporter) {
      if (setting === 'local' || missingDerivations(wanted, store).length === 0) return local.realise(wanted, reporter)
      chosen ??= choose(options, reporter)
      const choice = await chosen
      if (choice.runner === 'local') return local.realise(wanted, reporter)
      try {
        const { daggerRunner } = await import('./dagger.ts')
        return await daggerRunner(options).realise(wanted, reporter)
      } catch (error) {
        if (choice.fallback === 'none' || !isEngineError(error)) throw error
        reporter.warn(`${error.message}; continuing in sandboxes on this machine`)
        chosen = Promise.resolve({ ...choice, runner: 'local' })
        return local.realise(wanted, reporter)
      }
    },
  }
}

async function choose({ setting, env, store }: ChosenRunnerOptions, reporter: Reporter): Promise<Choice> {
  if (setting !== 'auto') return { runner: setting, because: 'the user chose it', fallback: 'none' }
  const choice = chooseRunner(await surveyMachine(env, store))
  reporter.notice(`using the ${choice.runner} runner: ${choice.because}`)
  return choice
}

function isEngineError(error: unknown): error is UserError {
  return error instanceof UserError && error.code === 'engine'
}
