/** Programs that may interpret a script of an image: the base has them. The initramfs has only /bin/sh. */
export const INTERPRETERS: readonly string[] = ['/bin/sh', '/usr/sbin/nft']

/** The reason why a text cannot work on a host; undefined when it can. */
export function unixTextProblem(text: string): string | undefined {
  const line = text.split('\n').findIndex((each) => each.includes('\r'))
  if (line >= 0) return `line ${line + 1} has a carriage return (a Windows line ending), wanted Unix line endings`
  // execve(2) takes the first word after #! as the interpreter.
  const interpreter = /^#! *(\S*)/.exec(text)?.[1]
  if (interpreter === undefined || INTERPRETERS.includes(interpreter)) return undefined
  return `its interpreter is '${interpreter}', wanted one that every host has: ${INTERPRETERS.join(', ')}`
}
