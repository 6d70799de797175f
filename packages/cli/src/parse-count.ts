import { CommandError, exitCodes } from './exit-codes.ts'

export function parseCount(text: string, max: number): number {
  const count = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count >= 1 && count <= max) return count
  throw new CommandError(exitCodes.usage, `${text} is not a number from 1 to ${max}.`)
}

/** `web=3`: a process type and how many. */
export function parseScale(text: string): [string, number] {
  const [, name, count] = /^([A-Za-z][A-Za-z0-9_-]*)=([0-9]{1,3})$/.exec(text) ?? []
  if (name && count) return [name, Number(count)]
  throw new CommandError(exitCodes.usage, `${text} is not of the form TYPE=COUNT, such as web=3.`)
}
