/** Callbacks of the application's: what they throw is theirs, and nothing here depends on who listens. */

export function heardBy<T>(listener: (told: T) => unknown, told: T): void {
  try {
    const heard = listener(told);
    // An async listener that rejects would end the process.
    if (heard instanceof Promise) heard.catch(ignore);
  } catch {
    // The listener's own fault.
  }
}

function ignore(): void {
  // Whoever listens answers for itself.
}
