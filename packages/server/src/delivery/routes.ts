import {
  cancelDeploy as cancelDeployEndpoint,
  createDeploy as createDeployEndpoint,
  getDeploy,
  listDeployEvents,
  listDeployLogs,
  listDeploys,
  retryDeploy as retryDeployEndpoint,
  streamDeployLog,
} from '@gantry/api'
import { type BoundEndpoint, bind, type TeamScope } from '../access/index.ts'
import { findApp, findEnvironment } from '../apps/index.ts'
import type { Queryable } from '../db/database.ts'
import { checkIfMatch } from '../kernel/entity-tag.ts'
import { UserError } from '../kernel/errors.ts'
import type { DeployId } from '../kernel/ids.ts'
import { pageLinks } from '../kernel/page-links.ts'
import { logReplies, type WriterStatus } from '../logs/index.ts'
import { cancelDeploy } from './cancel-deploy.ts'
import { checkedSource } from './check-source.ts'
import { createDeploy } from './create-deploy.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { streamOf } from './deploy.ts'
import { deployView, stepView } from './deploy-view.ts'
import { type DeployCheck, noSuchDeploy } from './find-deploy.ts'
import { retryDeploy } from './retry-deploy.ts'
import { rollBack } from './roll-back.ts'
import {
  type ShownDeploy,
  selectLastStep,
  selectShownDeploy,
  selectShownDeploys,
  selectSteps,
} from './shown-deploy-store.ts'

interface Viewer {
  readonly scope: TeamScope
  readonly baseUrl: string
}

/** The endpoints of deploys. */
export function deliveryRoutes(room: DeliveryRoom): readonly BoundEndpoint[] {
  return [...readingRoutes(room), ...changingRoutes(room), ...logRoutes(room)]
}

async function show(db: Queryable, scope: TeamScope, id: string): Promise<ShownDeploy> {
  const deploy = await selectShownDeploy(db, scope, id)
  if (!deploy) throw noSuchDeploy(id)
  return deploy
}

function readingRoutes(room: DeliveryRoom): readonly BoundEndpoint[] {
  const { db, site } = room
  return [
    bind(listDeploys, async ({ scope, query, baseUrl }) => {
      const { app_id: app, environment_id: environment, status } = query
      const appId = app === undefined ? undefined : (await findApp(db, scope, app)).id
      const environmentId = environment === undefined ? undefined : (await findEnvironment(db, scope, environment)).id
      const { rows, next } = await selectShownDeploys(db, scope, { appId, environmentId, status }, query)
      const deploys = rows.map((deploy) => deployView(deploy, { baseUrl, site }))
      return { deploys, ...pageLinks({ baseUrl, path: listDeploys.path, query }, next) }
    }),
    bind(getDeploy, async ({ scope, params, baseUrl }) =>
      deployView(await show(db, scope, params.id), { baseUrl, site }),
    ),
    bind(listDeployEvents, async ({ scope, params, query, baseUrl }) => {
      const { id } = await show(db, scope, params.id)
      const steps = await selectSteps(db, scope, id, { after: readStepToken(query.start), limit: query.limit + 1 })
      const shown = steps.slice(0, query.limit)
      const next = steps.length > query.limit ? String(shown.at(-1)?.id ?? '') : undefined
      const path = `/v1/deploys/${id}/events`
      return { events: shown.map(stepView), ...pageLinks({ baseUrl, path, query }, next) }
    }),
  ]
}

function readStepToken(start: string | undefined): number {
  if (start === undefined) return 0
  if (/^\d{1,15}$/.test(start)) return Number(start)
  throw new UserError(
    'invalid_page_token',
    'The paging token is not one that this list has given. Start again without it.',
    {
      target: { type: 'parameter', name: 'start' },
    },
  )
}

function changingRoutes(room: DeliveryRoom): readonly BoundEndpoint[] {
  const { db, site } = room
  const view = async (id: string, { scope, baseUrl }: Viewer) =>
    deployView(await show(db, scope, id), { baseUrl, site })
  const checkOf =
    ({ scope, baseUrl }: Viewer, ifMatch: string | undefined): DeployCheck =>
    async (tx, { id }) => {
      if (ifMatch !== undefined) checkIfMatch(ifMatch, deployView(await show(tx, scope, id), { baseUrl, site }).etag)
    }
  return [
    bind(createDeployEndpoint, async ({ scope, body, principal, baseUrl }) => {
      const environment = await findEnvironment(db, scope, body.environment.id)
      const environmentId = environment.id
      const createdBy = principal.personName
      if (body.kind === 'rollback') {
        const wanted = { environmentId, rollbackTo: body.rollback_to?.id, keepConfig: body.keep_config, createdBy }
        const { id } = await db.transaction((tx) => rollBack(room, tx, scope, wanted))
        return await view(id, { scope, baseUrl })
      }
      const wanted = { sourceId: body.source?.id, commitSha: body.commit_sha }
      const source = await checkedSource(room, scope, environment, wanted)
      const request = { ...source, environmentId, createdBy }
      const { id } = await db.transaction((tx) => createDeploy(room, tx, scope, request))
      return await view(id, { scope, baseUrl })
    }),
    bind(cancelDeployEndpoint, async ({ scope, params, headers, baseUrl }) => {
      await cancelDeploy(room, scope, { id: params.id, check: checkOf({ scope, baseUrl }, headers.ifMatch) })
      return await view(params.id, { scope, baseUrl })
    }),
    bind(retryDeployEndpoint, async ({ scope, params, headers, principal, baseUrl }) => {
      const check = checkOf({ scope, baseUrl }, headers.ifMatch)
      const id = await retryDeploy(room, scope, { id: params.id, check, createdBy: principal.personName })
      return await view(id, { scope, baseUrl })
    }),
  ]
}

function logRoutes(room: DeliveryRoom): readonly BoundEndpoint[] {
  const { db, logs } = room
  return [
    bind(listDeployLogs, async (call) => {
      const deploy = await show(db, call.scope, call.params.id)
      return await logReplies(logs, streamOf(deploy)).page(call, `/v1/deploys/${deploy.id}/logs`)
    }),
    bind(streamDeployLog, async (call) => {
      const deploy = await show(db, call.scope, call.params.id)
      return logReplies(logs, streamOf(deploy)).events(call, () => writerStatus(room, call.scope, deploy.id))
    }),
  ]
}

/** The log has the last step a moment after its commit; a log that lacks it for longer will never have it. */
const lastLineMs = 2_000

async function writerStatus(room: DeliveryRoom, scope: TeamScope, id: DeployId): Promise<WriterStatus> {
  const deploy = await selectShownDeploy(room.db, scope, id)
  if (!deploy) return { status: 'cancelled', isOver: true }
  const { status, finishedAt } = deploy
  if (!finishedAt) return { status, isOver: false }
  if (room.clock.now().getTime() - finishedAt.getTime() > lastLineMs) return { status, isOver: true }
  await room.logs.flush()
  const written = await room.logs.last(streamOf(deploy), 1, 'deploy')
  const step = await selectLastStep(room.db, scope, id)
  const isOver = step?.message.split(/\r?\n/).at(-1) === written[0]?.message
  return { status, isOver }
}
