import { CommandError, exitCodes } from './exit-codes.ts'

/** A whole number from `min` (default: 1) to `max`. */
export function parseCount(text: string, { min = 1, max }: { readonly min?: number; readonly max: number }): number {
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count >= min && count <= max) return count
  throw new CommandError(exitCodes.usage, `${text} is not a number from ${min} to ${max}.`)
}

/** `web=3`: a process type and how many. */
export function parseScale(text: string): [string, number] {
  const [, name, count] = /^([A-Za-z][A-Za-z0-9_-]*)=([0-9]+)$/.exec(text) ?? []
  if (name && count) return [name, parseCount(count, { min: 0, max: 100 })]
  throw new CommandError(exitCodes.usage, `${text} is not of the form TYPE=COUNT, such as web=3.`)
}
