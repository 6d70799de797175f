import { maxScale, processTypePattern } from '@gantry/api'
import type { TeamScope } from '../access/index.ts'
import type { Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { EnvironmentId } from '../kernel/ids.ts'
import type { AppsDeps } from './apps-deps.ts'
import { type EnvironmentRow, releaseProcessType } from './environment.ts'
import { selectEnvironmentFacts } from './environment-facts-store.ts'
import { raiseGeneration, updateScale } from './environment-store.ts'
import { lockEnvironment } from './find-app.ts'

/** Sees the environment, locked, and may refuse the change. */
export type EnvironmentCheck = (tx: Transaction, environment: EnvironmentRow) => Promise<void>

export type ScalePatch = Readonly<Record<string, number | null>>

/** Sets how many instances run. Throws `process_type_unknown`. */
export async function scaleEnvironment(
  deps: AppsDeps,
  scope: TeamScope,
  change: { readonly id: EnvironmentId; readonly patch: ScalePatch; readonly check: EnvironmentCheck },
): Promise<EnvironmentRow> {
  return await deps.db.transaction(async (tx) => {
    const environment = await lockEnvironment(tx, scope, change.id)
    await change.check(tx, environment)
    const facts = (await selectEnvironmentFacts(tx, scope, [environment.id])).get(environment.id)
    const scale = patchScale(environment.scale, change.patch, facts?.processTypes)
    const at = deps.clock.now()
    await updateScale(tx, scope, environment.id, { scale, at })
    await deps.work.enqueue(tx, 'environment', environment.id)
    return { ...environment, scale, updatedAt: at }
  })
}

/** `processTypes`: those of the release; undefined before the first, when any may be set. */
export function patchScale(
  before: Readonly<Record<string, number>>,
  patch: ScalePatch,
  processTypes: readonly string[] | undefined,
): Readonly<Record<string, number>> {
  const after = new Map(Object.entries(before))
  for (const [name, count] of Object.entries(patch)) {
    if (count === null) {
      after.delete(name)
      continue
    }
    checkProcessType(name, processTypes)
    if (!Number.isInteger(count) || count < 0 || count > maxScale) {
      throw new UserError('invalid_field', `${name} can have 0 to ${maxScale} instances.`, { target: targetOf(name) })
    }
    after.set(name, count)
  }
  return Object.fromEntries(after)
}

function checkProcessType(name: string, processTypes: readonly string[] | undefined): void {
  const known = processTypes?.filter((type) => type !== releaseProcessType)
  if (name === releaseProcessType) {
    const message = 'release runs once before each release goes live; it has no instances to scale.'
    throw new UserError('process_type_unknown', message, { target: targetOf(name) })
  }
  if (known ? known.includes(name) : processTypePattern.test(name)) return
  const message = `There is no process type ${name.slice(0, 80)}. The release has ${known?.join(', ') || 'none'}.`
  throw new UserError('process_type_unknown', message, { target: targetOf(name) })
}

function targetOf(processType: string) {
  return { type: 'field', name: `scale.${processType.slice(0, 80)}` } as const
}

/** Replaces every instance by a new one of the same release. Throws `nothing_to_restart`. */
export async function restartEnvironment(
  deps: AppsDeps,
  scope: TeamScope,
  change: { readonly id: EnvironmentId; readonly check: EnvironmentCheck },
): Promise<EnvironmentRow> {
  return await deps.db.transaction(async (tx) => {
    const environment = await lockEnvironment(tx, scope, change.id)
    await change.check(tx, environment)
    if (!environment.liveReleaseId) {
      throw new UserError('nothing_to_restart', `Nothing has been released in ${environment.name} yet.`)
    }
    const at = deps.clock.now()
    await raiseGeneration(tx, scope, environment.id, at)
    await deps.work.enqueue(tx, 'environment', environment.id)
    return { ...environment, generation: environment.generation + 1, updatedAt: at }
  })
}
