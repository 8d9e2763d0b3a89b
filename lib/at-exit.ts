const acts = new Set<() => void>()

/**
 * Calls `act` when this process exits. Returns a function that cancels the call. Uses one listener for all calls, because
 * Node prints a warning for more than ten.
 */
export function atExit(act: () => void): () => void {
  if (acts.size === 0) process.on('exit', runAll)
  acts.add(act)
  return () => {
    acts.delete(act)
    if (acts.size === 0) process.off('exit', runAll)
  }
}

function runAll(): void {
  for (const act of acts) act()
}
