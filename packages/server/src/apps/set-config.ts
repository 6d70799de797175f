import type { TeamScope } from '../access/index.ts'
import type { Queryable, Transaction } from '../db/database.ts'
import type { ConfigId, DeployId, EnvironmentId } from '../kernel/ids.ts'
import type { AppsDeps } from './apps-deps.ts'
import { areSame, type ConfigKind, type ConfigPatch, type ConfigRow, patchVariables, type Variables } from './config.ts'
import { insertConfig, selectConfig, selectValues } from './config-store.ts'
import type { EnvironmentRow } from './environment.ts'
import { updateCurrentConfig } from './environment-store.ts'
import { lockEnvironment } from './find-app.ts'
import type { Secrets } from './ports.ts'

/** An environment's config of one kind as it stands. `row` is absent while nothing was ever set. */
export interface CurrentConfig {
  readonly environment: EnvironmentRow
  readonly kind: ConfigKind
  readonly row?: ConfigRow
  readonly variables: Variables
}

export interface ConfigReader {
  readonly secrets: Secrets
}

/** The variables of one version, decrypted. */
export async function readConfig(
  reader: ConfigReader,
  db: Queryable,
  scope: TeamScope,
  id: ConfigId,
): Promise<Variables> {
  const { environmentId, values } = await selectValues(db, scope, id)
  const open = (value: (typeof values)[number]) =>
    reader.secrets.open(value.ciphertext, { environmentId, name: value.name })
  return Object.fromEntries(values.map((value) => [value.name, open(value)]))
}

export async function readCurrentConfig(
  reader: ConfigReader,
  db: Queryable,
  scope: TeamScope,
  of: { readonly environment: EnvironmentRow; readonly kind: ConfigKind },
): Promise<CurrentConfig> {
  const id = of.kind === 'run' ? of.environment.configId : of.environment.buildConfigId
  if (!id) return { ...of, variables: {} }
  const row = await selectConfig(db, scope, id)
  return { ...of, variables: await readConfig(reader, db, scope, id), ...(row && { row }) }
}

export interface ConfigChangeRequest {
  readonly environmentId: EnvironmentId
  readonly kind: ConfigKind
  readonly patch: ConfigPatch
  readonly createdBy: string
  /** Sees the config, locked, and may refuse the change. */
  readonly check: (current: CurrentConfig) => void
}

/**
 * Writes the next version of a config, and begins its deploy in the same transaction. A patch that changes nothing makes
 * no version. Build config begins nothing.
 */
export async function setConfig(
  deps: AppsDeps,
  tx: Transaction,
  scope: TeamScope,
  request: ConfigChangeRequest,
): Promise<{ readonly config: CurrentConfig; readonly deployId?: DeployId }> {
  const environment = await lockEnvironment(tx, scope, request.environmentId)
  const current = await readCurrentConfig(deps, tx, scope, { environment, kind: request.kind })
  request.check(current)
  const variables = patchVariables(current.variables, request.patch)
  if (areSame(current.variables, variables)) return { config: current }
  const id = deps.newId('config')
  const at = deps.clock.now()
  const seal = ([name, value]: [string, string]) => ({
    name,
    ciphertext: deps.secrets.seal(value, { environmentId: environment.id, name }),
  })
  const values = Object.entries(variables).map(seal)
  await insertConfig(tx, scope, { ...request, id, at, values })
  await updateCurrentConfig(tx, scope, environment.id, { kind: request.kind, configId: id, at })
  const row = await selectConfig(tx, scope, id)
  const next = { environment, kind: request.kind, variables, ...(row && { row }) }
  if (request.kind === 'build') return { config: next }
  const change = { environmentId: environment.id, configId: id, createdBy: request.createdBy }
  const deployId = await deps.configChanged.configChanged(tx, scope, change)
  return { config: next, ...(deployId && { deployId }) }
}
