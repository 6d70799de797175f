import { CommandError, exitCodes } from './exit-codes.ts'

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `10m`, `2h`, `3d` before now, or a time in RFC 3339; as RFC 3339 in UTC. */
export function parseSince(text: string, now: Date): string {
  const ms = durationOf(text)
  if (ms !== undefined && ms <= now.getTime()) return new Date(now.getTime() - ms).toISOString()
  const at = timeOf(text)
  if (at) return at
  throw new CommandError(
    exitCodes.usage,
    `${text} is not a time.`,
    'Such as 30s, 10m, 2h, 3d (ago), or 2026-08-22T09:30:00Z.',
  )
}

/** `90d` from now, or a time in RFC 3339; as RFC 3339 in UTC. */
export function parseUntil(text: string, now: Date): string {
  const ms = durationOf(text)
  if (ms !== undefined) return new Date(now.getTime() + ms).toISOString()
  const at = timeOf(text)
  if (at) return at
  throw new CommandError(
    exitCodes.usage,
    `${text} is not a time.`,
    'Such as 12h, 90d (from now), or 2027-08-22T09:30:00Z.',
  )
}

function durationOf(text: string): number | undefined {
  const [, count, unit] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? []
  return count && unit ? Number(count) * (units[unit] ?? 0) : undefined
}

const rfc3339 = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$/

function timeOf(text: string): string | undefined {
  const at = rfc3339.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : new Date(at).toISOString()
}
