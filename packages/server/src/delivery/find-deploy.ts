import type { TeamScope } from '../access/index.ts'
import type { Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { DeployRow } from './deploy.ts'
import { selectDeploy } from './deploy-store.ts'

/** Sees the deploy, locked, and may refuse the change. */
export type DeployCheck = (tx: Transaction, deploy: DeployRow) => Promise<void>

export async function findDeploy(tx: Transaction, scope: TeamScope, id: string): Promise<DeployRow> {
  const deploy = await selectDeploy(tx, scope, id)
  if (!deploy) throw noSuchDeploy(id)
  return deploy
}

export function noSuchDeploy(id: string): UserError {
  return new UserError('not_found', `There is no deploy ${id}, or this token may not see it.`)
}

export function wrongState(deploy: DeployRow, why: string): UserError {
  return new UserError('invalid_state', `The deploy is ${deploy.status.replace('_', ' ')}. ${why}.`)
}
