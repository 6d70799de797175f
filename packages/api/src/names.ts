import { z } from 'zod'
import type { ErrorCode } from './errors.ts'

/**
 * Names that users choose. IBM's patterns stand in the document; what they cannot say (no `--`, not the form of an id,
 * reserved names) is checked in code, and carries its own error code (`withCode`).
 */

/** Marks a rule with the error code of the catalogue that breaking it answers. */
export function withCode(code: ErrorCode): { readonly code: ErrorCode } {
  return { code }
}

const idForm = /^[a-z]{3}-[0-9a-hjkmnp-tv-z]{26}$/

export const maxAppNameLength = 39
export const maxEnvironmentNameLength = 20

/** What is wrong with a name, in a sentence; `undefined` when nothing is. */
export function nameProblem(name: string, maxLength: number): string | undefined {
  if (name.length === 0) return 'must not be empty'
  if (name.length > maxLength) return `must have at most ${maxLength} characters`
  if (!/^[a-z]/.test(name)) return 'must begin with a lower-case letter'
  if (!/^[-0-9a-z]*$/.test(name)) return 'may have lower-case letters, digits and hyphens only'
  if (name.endsWith('-')) return 'must not end on a hyphen'
  if (name.includes('--')) return 'must not have two hyphens in a row'
  if (idForm.test(name)) return 'must not look like an id of Gantry'
  return undefined
}

function name(description: string, maxLength: number, example: string) {
  return z
    .string()
    .superRefine((value, context) => {
      const problem = nameProblem(value, maxLength)
      if (problem) context.addIssue({ code: 'custom', message: problem, params: withCode('name_invalid') })
    })
    .meta({ description, pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$', minLength: 1, maxLength, examples: [example] })
}

export const appName = name(
  'The name of the app, unique in this installation. It cannot be changed.',
  maxAppNameLength,
  'shop',
)

export const environmentName = name(
  'The name of the environment, unique in its app. It cannot be changed.',
  maxEnvironmentNameLength,
  'staging',
)

export const configNamePattern = /^[A-Za-z_][A-Za-z0-9_]*$/
export const maxConfigNameLength = 255
export const maxConfigValueLength = 32_768
export const maxConfigVariables = 500

/** Whether Gantry itself sets a variable of this name. */
export function isReservedConfigName(variable: string): boolean {
  return variable === 'PORT' || variable === 'HOME' || variable === 'TMPDIR' || variable.startsWith('GANTRY_')
}

/** A process type, as a Procfile names it. */
export const processTypePattern = /^[A-Za-z][A-Za-z0-9_-]*$/
export const maxProcessTypeLength = 63
export const maxScale = 100
