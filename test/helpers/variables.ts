import { onTestFinished } from 'vitest'

/** Sets or removes a variable of this process until the test ends. */
export function setVariable(name: string, value: string | undefined): void {
  const before = process.env[name]
  assign(name, value)
  onTestFinished(() => assign(name, before))
}

function assign(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
