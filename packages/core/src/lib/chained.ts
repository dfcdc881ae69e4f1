/** What comes after a value that may be a promise: at once where it is none, so that nobody waits who need not. */
export function chained<T, U>(value: T | Promise<T>, next: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? later(value, next) : next(value);
}

async function later<T, U>(value: Promise<T>, next: (value: T) => U | Promise<U>): Promise<U> {
  return next(await value);
}
