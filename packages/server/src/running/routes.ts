import { getInstance, type Instance as InstanceView, listInstances } from '@gantry/api'
import { type BoundEndpoint, bind } from '../access/index.ts'
import { appReference, environmentReference, findApp, findEnvironment, releaseReference } from '../apps/index.ts'
import type { Database } from '../db/database.ts'
import type { Address } from '../engines/engine.ts'
import { withEntityTag } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import { pageLinks } from '../kernel/page-links.ts'
import { instanceName } from './instance.ts'
import { type ShownInstance, selectShownInstance, selectShownInstances } from './shown-instance-store.ts'

export function instanceRoutes(db: Database): readonly BoundEndpoint[] {
  return [
    bind(listInstances, async ({ scope, query, baseUrl }) => {
      const appId = query.app_id === undefined ? undefined : (await findApp(db, scope, query.app_id)).id
      const environmentId =
        query.environment_id === undefined ? undefined : (await findEnvironment(db, scope, query.environment_id)).id
      const filters = { app_id: appId, environment_id: environmentId, status: query.status }
      const { rows, next } = await selectShownInstances(db, scope, filters, query)
      return {
        instances: rows.map((instance) => instanceView(instance, baseUrl)),
        ...pageLinks({ baseUrl, path: listInstances.path, query }, next),
      }
    }),
    bind(getInstance, async ({ scope, params, baseUrl }) => {
      const instance = await selectShownInstance(db, scope, params.id)
      if (instance) return instanceView(instance, baseUrl)
      throw new UserError('not_found', `There is no instance ${params.id}, or this token may not see it.`)
    }),
  ]
}

function instanceView(instance: ShownInstance, baseUrl: string): InstanceView {
  return withEntityTag({
    id: instance.id,
    href: `${baseUrl}/v1/instances/${instance.id}`,
    name: instanceName(instance),
    app: appReference({ id: instance.appId, name: instance.appName }, baseUrl),
    environment: environmentReference({ id: instance.environmentId, name: instance.environmentName }, baseUrl),
    release: releaseReference({ id: instance.releaseId, version: instance.releaseVersion }, baseUrl),
    process_type: instance.processType,
    status: instance.status,
    ...(instance.address && { address: addressText(instance.address) }),
    crash_count: instance.crashes,
    ...(instance.endReason && instance.status === 'ended' && { end_reason: instance.endReason }),
    created_at: instance.createdAt.toISOString(),
    ...(instance.startedAt && { started_at: instance.startedAt.toISOString() }),
    ...(instance.healthyAt && { healthy_at: instance.healthyAt.toISOString() }),
    ...(instance.endedAt && { ended_at: instance.endedAt.toISOString() }),
  })
}

function addressText(address: Address): string {
  return address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path
}
