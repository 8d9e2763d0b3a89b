/** The error with which a promise rejects; undefined if it does not. */
export function rejection(
  promise: Promise<unknown>,
): Promise<{ code?: string; message: string; hint?: string } | undefined> {
  return promise.then(
    () => undefined,
    (error) => error,
  )
}
