import type { ErrorCode } from '@gantry/api'
import {
  configNamePattern,
  isReservedConfigName,
  maxConfigNameLength,
  maxConfigValueLength,
  maxConfigVariables,
} from '@gantry/api'
import { UserError } from '../kernel/errors.ts'
import type { ConfigId, EnvironmentId, TeamId } from '../kernel/ids.ts'

/** `run`: what instances see. `build`: the only one that builds see. */
export type ConfigKind = 'run' | 'build'

/** A version of an environment's variables. */
export interface ConfigRow {
  readonly id: ConfigId
  readonly teamId: TeamId
  readonly environmentId: EnvironmentId
  readonly kind: ConfigKind
  readonly version: number
  readonly createdBy: string
  readonly createdAt: Date
}

export type Variables = Readonly<Record<string, string>>

/** RFC 7396 over one level: a value sets, null removes. */
export type ConfigPatch = Readonly<Record<string, string | null>>

const maxTotalLength = 262_144

/** The variables after the patch. Throws on a name or value that no process could be given. */
export function patchVariables(before: Variables, patch: ConfigPatch): Variables {
  const after = new Map(Object.entries(before))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) {
      after.delete(name)
      continue
    }
    checkName(name)
    checkValue(name, value)
    after.set(name, value)
  }
  if (after.size > maxConfigVariables)
    throw invalid('config_too_large', '', `At most ${maxConfigVariables} variables can be set.`)
  const total = [...after].reduce((sum, [name, value]) => sum + name.length + value.length + 2, 0)
  if (total > maxTotalLength) {
    throw invalid(
      'config_too_large',
      '',
      `All variables together may have ${maxTotalLength} characters; these have ${total}.`,
    )
  }
  return Object.fromEntries([...after].sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function areSame(a: Variables, b: Variables): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name])
}

function checkName(name: string): void {
  if (!configNamePattern.test(name) || name.length > maxConfigNameLength) {
    const rule = `letters, digits and underscores, not beginning with a digit, at most ${maxConfigNameLength} characters`
    throw invalid(
      'config_name_invalid',
      name,
      `${JSON.stringify(name.slice(0, 80))} is not the name of a variable: ${rule}.`,
    )
  }
  if (isReservedConfigName(name)) {
    throw invalid('config_name_reserved', name, `${name} is set by Gantry itself. Choose another name.`)
  }
}

function checkValue(name: string, value: string): void {
  if (value.includes('\u0000'))
    throw invalid('invalid_field', name, `The value of ${name} has a NUL character, which no process can be given.`)
  if (value.length > maxConfigValueLength) {
    throw invalid(
      'invalid_field',
      name,
      `The value of ${name} has ${value.length} characters; ${maxConfigValueLength} are allowed.`,
    )
  }
}

function invalid(code: ErrorCode, name: string, message: string): UserError {
  const field = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? `variables.${name}` : 'variables'
  return new UserError(code, message, { target: { type: 'field', name: field } })
}
