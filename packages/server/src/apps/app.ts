import { maxAppNameLength, maxEnvironmentNameLength, nameProblem } from '@gantry/api'
import { UserError } from '../kernel/errors.ts'
import type { AppId, RepositoryId, TeamId } from '../kernel/ids.ts'

/** One deployable: a repository, a root folder in it, its environments. */
export interface AppRow {
  readonly id: AppId
  readonly teamId: TeamId
  readonly repositoryId: RepositoryId
  readonly name: string
  /** Folder in the repository, relative, with `/`; empty: the whole tree. */
  readonly root: string
  /** A push to this branch deploys production. */
  readonly branch: string
  readonly runUid: number
  readonly buildUid: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

export const productionName = 'production'

/** Throws `name_invalid`. */
export function checkAppName(name: string): void {
  checkName(name, 'The name of an app', maxAppNameLength)
}

/** Throws `name_invalid`. */
export function checkEnvironmentName(name: string): void {
  checkName(name, 'The name of an environment', maxEnvironmentNameLength)
}

function checkName(name: string, what: string, maxLength: number): void {
  const problem = nameProblem(name, maxLength)
  if (problem) throw new UserError('name_invalid', `${what} ${problem}.`, { target: { type: 'field', name: 'name' } })
}

/** The folder as it is kept: without slashes at the ends. Throws `invalid_field` when it would lead out of the tree. */
export function normalizeRoot(root: string): string {
  const trimmed = root.replace(/^\.?\/+|\/+$/g, '')
  if (trimmed === '' || trimmed === '.') return ''
  const segments = trimmed.split('/')
  const isPlain = segments.every(
    (name) => name !== '' && name !== '.' && name !== '..' && name.toLowerCase() !== '.git',
  )
  if (isPlain && !hasControlCharacter(trimmed)) return trimmed
  throw invalidField('root', 'The root must be the path of a folder in the repository, such as services/api.')
}

/** A branch that git accepts (https://git-scm.com/docs/git-check-ref-format). Throws `invalid_field`. */
export function checkBranch(branch: string): void {
  const isForm = /^[^\s~^:?*[\\]+$/.test(branch) && !hasControlCharacter(branch)
  const isPlain = !/\.\.|@\{|\/\/|\.$|\/$|^\//.test(branch) && !branch.startsWith('-') && branch !== '@'
  const segments = branch.split('/')
  if (isForm && isPlain && segments.every((name) => !name.startsWith('.') && !name.endsWith('.lock'))) return
  throw invalidField('branch', 'The branch must be a name that git accepts, such as main or release/next.')
}

function hasControlCharacter(text: string): boolean {
  return /[\u0000-\u001f\u007f]/.test(text)
}

function invalidField(name: string, message: string): UserError {
  return new UserError('invalid_field', message, { target: { type: 'field', name } })
}
