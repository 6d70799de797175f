import { UserError } from '../kernel/errors.ts'

/** A moment in the future, from the field of this name; undefined when it is absent. Throws `invalid_field`. */
export function readExpiry(text: string | undefined, now: Date, name = 'expires_at'): Date | undefined {
  if (text === undefined) return undefined
  const at = new Date(text)
  if (!Number.isNaN(at.getTime()) && at.toISOString() === text && at > now) return at
  throw new UserError(
    'invalid_field',
    `\`${name}\` must be a moment in the future, such as 2027-08-22T09:30:00.000Z.`,
    { target: { type: 'field', name } },
  )
}
